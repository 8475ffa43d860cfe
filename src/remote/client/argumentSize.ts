/** Size of the message of a call: a message that is larger than the server takes would cost the connection. */

/** Upper bound of the bytes around the arguments of a call on the wire. */
export const ENVELOPE_BYTES = 500;

/**
 * @param max bytes of a message that the server takes
 * @returns the size of the message, in bytes, or an upper bound
 * @throws {RangeError} if it is larger than the server takes
 */
export function checkSize(method: string, args: unknown[], max: number): number {
  const roughly = boundOf(args) + ENVELOPE_BYTES;
  if (roughly <= max) return roughly;
  const bytes = sizeOf(args) + ENVELOPE_BYTES;
  if (bytes <= max) return bytes;
  throw new RangeError(
    `${method}(): the arguments are too large, more than the ${max} bytes of the server's maxPayload`,
  );
}

/** Returns a quick upper bound of the bytes: a character has three bytes at most, and a Buffer is longer as text. */
function boundOf(args: unknown[]): number {
  let bound = 0;
  for (const arg of args) {
    if (arg instanceof Uint8Array) bound += arg.byteLength;
    else if (arg !== undefined) bound += 3 * JSON.stringify(arg).length;
  }
  return bound;
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
