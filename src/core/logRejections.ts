/**
 * Calls that mediasoup lets an application make without waiting: over a wire more of them can fail, and a failure must
 * not end the application's process.
 */
import { logger } from './logger.ts';

const log = logger('forgotten');

/**
 * Logs a rejection of the promise that is not awaited.
 * @returns the promise itself, which still rejects for its waiters
 */
export function logRejection<T>(promise: Promise<T>, name: string): Promise<T> {
  promise.catch(error => log.warn('%s: %o', name, error));
  return promise;
}

/**
 * Makes an object's methods return such promises, in whichever class the methods are defined. Methods that the object
 * lacks are left out.
 */
export function logRejections(object: object, names: readonly string[]): void {
  for (const name of names) {
    const method: unknown = (object as Record<string, unknown>)[name];
    if (typeof method !== 'function') continue;
    const value = (...args: unknown[]): unknown => {
      const result: unknown = Reflect.apply(method, object, args);
      return result instanceof Promise ? logRejection(result, `${name}()`) : result;
    };
    // Methods of this object alone are replaced as they are; those of its class stay out of sight of whoever lists members.
    if (Object.hasOwn(object, name)) (object as Record<string, unknown>)[name] = value;
    else Object.defineProperty(object, name, { configurable: true, writable: true, value });
  }
}
