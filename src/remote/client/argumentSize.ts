/** Size of the message of a call: a message that is larger than the server takes would cost the connection. */

/** Returns a quick upper bound of the bytes: a character has three bytes at most, and a Buffer is longer as text. */
export function boundOf(args: unknown[]): number {
  let bound = 0;
  for (const arg of args) {
    if (arg instanceof Uint8Array) bound += arg.byteLength;
    else if (arg !== undefined) bound += 3 * JSON.stringify(arg).length;
  }
  return bound;
}

/** Returns the bytes of the largest frame that these arguments take, since Buffers go in frames of their own. */
export function sizeOf(args: unknown[]): number {
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
