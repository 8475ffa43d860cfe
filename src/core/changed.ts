/** Notice of changes for which mediasoup emits no event: a server that shows the object to clients needs it. */
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Closable } from './onceClosed.ts';

const emitterOf = ({ observer }: Closable): EnhancedEventEmitter<{ '@changed': [] }> =>
  observer as EnhancedEventEmitter<{ '@changed': [] }>;

export function emitChanged(object: Closable): void {
  emitterOf(object).emit('@changed');
}

/**
 * Calls back when the object has changed without an event of mediasoup's.
 * @returns to be called to stop it
 */
export function onChanged(object: Closable, callback: () => void): () => void {
  emitterOf(object).on('@changed', callback);
  return () => void emitterOf(object).off('@changed', callback);
}
