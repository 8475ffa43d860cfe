/** How large the message of a call will be: what is larger than the server takes would cost the connection. */

/** More than these arguments can take, found out quickly: a character has three bytes at most, and a Buffer is longer as text. */
export function boundOf(args: unknown[]): number {
  let bound = 0;
  for (const arg of args) {
    if (arg instanceof Uint8Array) bound += arg.byteLength;
    else if (arg !== undefined) bound += 3 * JSON.stringify(arg).length;
  }
  return bound;
}

/** Of the largest message that these arguments take: Buffers go in messages of their own. */
export function sizeOf(args: unknown[]): number {
  let largest = 0;
  const text = JSON.stringify(args, function (this: Record<string, unknown>, key: string, value: unknown) {
    // Buffers have been turned into objects by their toJSON() already: look at what they were.
    const original = this[key];
    if (!(original instanceof Uint8Array)) return value;
    largest = Math.max(largest, original.byteLength);
    return null;
  });
  return Math.max(largest, Buffer.byteLength(text));
}
