/** Status of a peer: what others need of its servers for a choice between them. */
import type { NodeRecord } from '../../horizontal/directory/directory.ts';
import { checkedRecord } from '../../horizontal/directory/nodeRecord.ts';

/** Bytes of a status, so that it fits into a packet. */
const MAX_STATUS_BYTES = 1000;

/** @throws {RangeError} if the records are too long for a packet */
export function encodeStatus(records: readonly NodeRecord[]): Buffer {
  const bytes = Buffer.from(JSON.stringify(records));
  if (bytes.length > MAX_STATUS_BYTES)
    throw new RangeError(`url, region and labels take ${bytes.length} bytes, and a packet has ${MAX_STATUS_BYTES}`);
  return bytes;
}

/** @returns undefined if it is malformed; records that are none are left out */
export function decodeStatus(bytes: Buffer): NodeRecord[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  return Array.isArray(value) ? value.flatMap(record => checkedRecord(record) ?? []) : undefined;
}
