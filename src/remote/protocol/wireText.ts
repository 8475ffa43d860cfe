/**
 * JSON of messages, made once: it is what is sent, to however many clients and after however many lost connections, and its
 * length is the size of the message. Of a message that arrives, the size is known by the packet that has brought it.
 */
import { measure, type Measure } from './measure.ts';

/** Estimated bytes in memory for a character of JSON, with what it was made of, or becomes. */
const BYTES_PER_CHARACTER = 2;
/** Fewest characters of JSON for a value: itself, and what separates it from the next. */
const CHARACTERS_PER_VALUE = 2;
/** Length of a packet, in characters, from which on its messages are measured one by one. */
const MAX_MEASURED_TOGETHER = 32_768;

const textKey = Symbol('text');
const sizeKey = Symbol('size');

interface Noted {
  [textKey]?: string;
  [sizeKey]?: Measure;
}

/**
 * Writes a message as JSON, for all who will send it: it must not be changed any more.
 * @param message encoded, without Buffers
 */
export function write(message: object): Measure {
  const text = JSON.stringify(message);
  (message as Noted)[textKey] = text;
  return sizeOf(text.length);
}

/** Returns the JSON of a message; undefined if it was not written. */
export function textOf(message: unknown): string | undefined {
  return (message as Noted | null | undefined)?.[textKey];
}

/**
 * Notes the sizes of messages that have arrived in one packet without Buffers, if it is not so large that each must be
 * measured. Of several messages the first one gets what the others leave: it is mostly the one that tells of an object.
 * @param length of the packet, in characters
 */
export function noteSizes(messages: readonly unknown[], length: number): void {
  if (length > MAX_MEASURED_TOGETHER) return;
  let rest = BYTES_PER_CHARACTER * length;
  for (let index = messages.length - 1; index > 0; --index) {
    const size = measure(messages[index]);
    note(messages[index], size);
    rest -= size.bytes;
  }
  // The others may have been made to look larger than they are, so that the first one counts for nothing.
  if (rest >= length) note(messages[0], { ...sizeOf(length), bytes: rest });
}

/** Returns the size of a message that has arrived. */
export function sizeOfArrived(message: unknown): Measure {
  return (message as Noted | null | undefined)?.[sizeKey] ?? measure(message);
}

function note(message: unknown, size: Measure): void {
  if (typeof message === 'object' && message !== null) (message as Noted)[sizeKey] = size;
}

function sizeOf(length: number): Measure {
  return {
    bytes: BYTES_PER_CHARACTER * length,
    buffers: 0,
    values: Math.ceil(length / CHARACTERS_PER_VALUE),
  };
}
