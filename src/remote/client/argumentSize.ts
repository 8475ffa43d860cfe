/** Size of the message of a call: a message that is larger than the server takes would cost the connection. */
import { measure, type Measure } from '../protocol/measure.ts';
import { textOf, write } from '../protocol/wireText.ts';

/** Upper bound of the bytes around the arguments of a call on the wire. */
export const ENVELOPE_BYTES = 500;
/** Most bytes on the wire for a measured one: a control character is six characters of JSON. */
export const MAX_GROWTH = 6;
/** Most bytes on the wire for a character of JSON. */
const MAX_CHARACTER_BYTES = 3;

export interface MessageSize {
  /** The message as {@link measure} counts it. */
  readonly size: Measure;
  /** Bytes on the wire: counted if it might be more than the server takes, and else as measured. */
  readonly wireBytes: number;
}

/**
 * Writes a message without Buffers.
 * @param max bytes of a message that the server takes
 * @throws {RangeError} if it is larger than the server takes
 */
export function sizeOfWritten(message: { readonly method: string }, max: number): MessageSize {
  const size = write(message);
  const text = textOf(message)!;
  const isSmall = MAX_CHARACTER_BYTES * text.length + ENVELOPE_BYTES <= max;
  const wireBytes = ENVELOPE_BYTES + (isSmall ? text.length : Buffer.byteLength(text));
  if (wireBytes <= max) return { size, wireBytes };
  throw tooLarge(message.method, max);
}

/**
 * @param max bytes of a message that the server takes
 * @throws {RangeError} if it is larger than the server takes
 */
export function sizeOfCall(method: string, args: unknown[], max: number): MessageSize {
  const size = measure(args);
  size.bytes += ENVELOPE_BYTES;
  if (MAX_GROWTH * size.bytes <= max) return { size, wireBytes: size.bytes };
  const wireBytes = sizeOf(args) + ENVELOPE_BYTES;
  if (wireBytes <= max) return { size, wireBytes };
  throw tooLarge(method, max);
}

function tooLarge(method: string, max: number): RangeError {
  return new RangeError(
    `${method}(): the arguments are too large, more than the ${max} bytes of the server's maxPayload`,
  );
}

/** Returns the bytes of the largest frame that these arguments take, since Buffers go in frames of their own. */
function sizeOf(args: unknown[]): number {
  let largest = 0;
  const text = JSON.stringify(args, function (this: Record<string, unknown>, key: string, value: unknown) {
    // The original value is needed, since toJSON() has turned Buffers into plain objects already.
    const original = this[key];
    if (!(original instanceof Uint8Array)) return value;
    largest = Math.max(largest, original.byteLength);
    return null;
  });
  return Math.max(largest, Buffer.byteLength(text));
}
