import { EnhancedEventEmitter } from 'mediasoup/extras';
import { logger } from './logger.ts';

const log = logger('events');

/**
 * The emitter of what applications see: mediasoup's own, so that it is at home with `once()` of node:events and behaves
 * like the objects that they know. What a listener throws stays there, and an error that nobody listens for is logged.
 */
export class PublicEmitter<Events extends Record<string, unknown[]>> extends EnhancedEventEmitter<Events> {
  constructor() {
    super();
    const emitter = this as unknown as EnhancedEventEmitter<{ listenererror: [name: string, error: Error] }>;
    emitter.on('listenererror', (name, error) => log('a listener of %s threw: %o', name, error));
  }

  protected reportError(error: Error): void {
    const emitter = this as unknown as EnhancedEventEmitter<{ error: [error: Error] }>;
    if (emitter.listenerCount('error') > 0) emitter.safeEmit('error', error);
    else log('nobody listens for this error: %o', error);
  }
}
