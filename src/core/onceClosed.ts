import type { EnhancedEventEmitter } from 'mediasoup/extras';

/** Any object of mediasoup's that can close. */
export interface Closable {
  readonly observer: object;
}

export function isClosable(value: unknown): value is Closable {
  return typeof value === 'object' && value !== null && 'observer' in value;
}

/** Calls back when the object has closed, for any reason. The listener lives as long as the object. */
export function onceClosed(object: Closable, callback: () => void): void {
  // `once()` would make two objects for each listener, and remove what is never called again.
  (object.observer as EnhancedEventEmitter<{ close: [] }>).on('close', callback);
}
