/** Listeners of another object's events, one for each: the compiler names an event that is not passed on. */

/** A listener for each event. */
export type Listeners<Events extends Record<string, unknown[]>> = {
  readonly [Name in keyof Events]: (...args: Events[Name]) => unknown;
};

interface Emitter<Events extends Record<string, unknown[]>> {
  on<Name extends keyof Events & string>(name: Name, listener: (...args: Events[Name]) => void): unknown;
  off<Name extends keyof Events & string>(name: Name, listener: (...args: Events[Name]) => void): unknown;
}

/**
 * Adds the listeners.
 * @returns to be called to remove them
 */
export function listen<Events extends Record<string, unknown[]>>(
  emitter: Emitter<Events>,
  listeners: Listeners<Events>,
): () => void {
  const names = Object.keys(listeners) as (keyof Events & string)[];
  for (const name of names) emitter.on(name, listeners[name]);
  return () => {
    for (const name of names) emitter.off(name, listeners[name]);
  };
}
