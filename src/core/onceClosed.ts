import type { EnhancedEventEmitter } from 'mediasoup/extras';

/** Any object of mediasoup's that can close. */
export interface Closable {
  readonly observer: object;
}

/** Calls back when the object has closed, for whatever reason. The listener goes with the object. */
export function onceClosed(object: Closable, callback: () => void): void {
  (object.observer as EnhancedEventEmitter<{ close: [] }>).once('close', callback);
}
