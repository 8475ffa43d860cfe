/** How much a message takes: the bounds that a session keeps to are in bytes, whatever its messages are made of. */

export interface Measure {
  /** About as many as it takes in memory, and at least about as many as on the wire. */
  bytes: number;
  /** socket.io sends these beside the text. */
  buffers: number;
  /** How many numbers, texts, lists… there are in it: the time that it takes to go through them grows with that. */
  values: number;
}

const VALUE_BYTES = 8;
const TEXT_BYTES = 16;
const LIST_BYTES = 32;
const OBJECT_BYTES = 32;
const KEY_BYTES = 12;
const BUFFER_BYTES = 100;

/** @param value data without cycles, nested as deep as it may be: what comes from the wire has not been looked at yet */
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

/** Texts that go to many, or come from elsewhere and are said again, are cut off here. */
export function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
