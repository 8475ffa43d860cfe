/** Limits of the data that a server may send, so that it can't bring a client down by mistake or malice. */
import { refuseUnknown } from '../../api/options.ts';

/** Limits of the data that a client takes from its server; beyond them the session ends. */
export interface NodeLimits {
  /**
   * Objects that the server announces.
   * @default 200000
   */
  objects: number;
  /**
   * Bytes that these take, with their `appData`.
   * @default 512000000
   */
  objectBytes: number;
  /**
   * MafaldaRouters that the server tells a cluster of; their ids may take as many bytes as the objects.
   * @default 200000
   */
  mafaldaRouters: number;
  /**
   * Bytes in one packet.
   * @default 64000000
   */
  packetBytes: number;
}

const defaults: NodeLimits = {
  objects: 200_000,
  objectBytes: 512_000_000,
  mafaldaRouters: 200_000,
  packetBytes: 64_000_000,
};

/** @throws {TypeError} for a limit that is unknown or not a positive integer */
export function resolveNodeLimits(limits: Partial<NodeLimits> = {}): NodeLimits {
  refuseUnknown('limits', limits, defaults);
  const resolved = { ...defaults, ...limits };
  for (const [name, limit] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(limit) || limit <= 0) throw new TypeError(`limits.${name} must be a positive integer`);
  }
  return resolved;
}
