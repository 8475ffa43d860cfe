/** Calls that mediasoup lets an application make without waiting: over a wire more can go wrong, and that must not end its process. */
import { logger } from './logger.ts';

const log = logger('forgotten');

/** @returns the promise itself: it rejects as ever for those who wait, and for others the failure is logged */
export function mayForget<T>(promise: Promise<T>, what: string): Promise<T> {
  promise.catch(error => log('%s: %o', what, error));
  return promise;
}

/** Makes these methods of one object such ones, in whichever class they are defined. Those that it does not have are left out. */
export function mayForgetCalls(object: object, names: readonly string[]): void {
  for (const name of names) {
    const method: unknown = (object as Record<string, unknown>)[name];
    if (typeof method !== 'function') continue;
    const value = (...args: unknown[]): unknown => {
      const result: unknown = Reflect.apply(method, object, args);
      return result instanceof Promise ? mayForget(result, `${name}()`) : result;
    };
    Object.defineProperty(object, name, { configurable: true, writable: true, value });
  }
}
