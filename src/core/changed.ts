/** Where mediasoup changes a property and emits nothing, whoever shows the object to others has to be told. */
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Closable } from './onceClosed.ts';

const emitterOf = ({ observer }: Closable): EnhancedEventEmitter<{ '@changed': [] }> =>
  observer as EnhancedEventEmitter<{ '@changed': [] }>;

export function tellChanged(object: Closable): void {
  emitterOf(object).emit('@changed');
}

/** @returns how to stop it */
export function onChanged(object: Closable, callback: () => void): () => void {
  emitterOf(object).on('@changed', callback);
  return () => void emitterOf(object).off('@changed', callback);
}
