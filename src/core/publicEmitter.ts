import { EnhancedEventEmitter } from 'mediasoup/extras';
import { logger } from './logger.ts';

const log = logger('events');

/**
 * Emitter that applications see: mediasoup's own, so that it works with `once()` of node:events and behaves like the
 * objects that they know. An error thrown by a listener is logged, and so is an `error` without listeners.
 */
export class PublicEmitter<Events extends Record<string, unknown[]>> extends EnhancedEventEmitter<Events> {
  constructor() {
    super();
    const emitter = this as unknown as EnhancedEventEmitter<{ listenererror: [name: string, error: Error] }>;
    emitter.on('listenererror', (name, error) => log.error('a listener of %s threw: %o', name, error));
  }

  protected reportError(error: Error): void {
    const emitter = this as unknown as EnhancedEventEmitter<{ error: [error: Error] }>;
    if (emitter.listenerCount('error') > 0) emitter.safeEmit('error', error);
    else log.error('nobody listens for this error: %o', error);
  }
}
