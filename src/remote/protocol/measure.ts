/** Size of messages: the limits of a session are in bytes, whatever its messages consist of. */

export interface Measure {
  /** Estimated bytes in memory; about as many as on the wire, or more. */
  bytes: number;
  /** Number of Buffers, which socket.io sends beside the text. */
  buffers: number;
  /** Number of numbers, texts, lists…, to which the time to process the message is proportional. */
  values: number;
}

const VALUE_BYTES = 8;
const TEXT_BYTES = 16;
const LIST_BYTES = 32;
const OBJECT_BYTES = 32;
const KEY_BYTES = 12;
const BUFFER_BYTES = 100;

/**
 * Measures iteratively, since data from the wire has not been checked for its depth yet.
 * @param value data without cycles
 */
export function measure(value: unknown): Measure {
  const found: Measure = { bytes: 0, buffers: 0, values: 0 };
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    ++found.values;
    if (typeof next === 'string') found.bytes += TEXT_BYTES + next.length;
    else if (typeof next !== 'object' || next === null) found.bytes += VALUE_BYTES;
    else if (next instanceof Uint8Array) {
      ++found.buffers;
      found.bytes += BUFFER_BYTES + next.byteLength;
    } else if (Array.isArray(next)) {
      found.bytes += LIST_BYTES;
      for (const element of next as unknown[]) waiting.push(element);
    } else {
      found.bytes += OBJECT_BYTES;
      for (const key in next) {
        found.bytes += KEY_BYTES + key.length;
        waiting.push((next as Record<string, unknown>)[key]);
      }
    }
  }
  return found;
}

/** Cuts off a text that goes to many recipients, or that comes from the other side and is repeated. */
export function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
