/**
 * Idempotency keys: by them the caller of a method that creates an object recognises the object, also at another server,
 * if no answer has come. A key is kept with the object's `appData`, which is handed on through all layers.
 */
const keys = new WeakMap<object, string>();

/** Sets the key of the object that will get this `appData`, which no other object may have. */
export function setKey(appData: object, key: string): void {
  keys.set(appData, key);
}

export function keyOf(appData: unknown): string | undefined {
  return typeof appData === 'object' && appData !== null ? keys.get(appData) : undefined;
}
