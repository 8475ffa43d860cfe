/** What a server may tell a client, so that none can bring it down by mistake or malice. */
import { refuseUnknown } from '../../api/options.ts';

export interface NodeLimits {
  /** Objects that the server tells of; default 200,000. */
  objects: number;
  /** Bytes that these take, with their `appData`; default 512,000,000. */
  objectBytes: number;
  /** Bytes in one packet; default 64,000,000. */
  packetBytes: number;
}

const defaults: NodeLimits = { objects: 200_000, objectBytes: 512_000_000, packetBytes: 64_000_000 };

/** @throws {TypeError} for a limit that is unknown or not a positive integer */
export function resolveNodeLimits(limits: Partial<NodeLimits> = {}): NodeLimits {
  refuseUnknown('limits', limits, defaults);
  const resolved = { ...defaults, ...limits };
  for (const [name, limit] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(limit) || limit <= 0) throw new TypeError(`limits.${name} must be a positive integer`);
  }
  return resolved;
}
