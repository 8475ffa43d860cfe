/** Mirrors of mediasoup's objects that live on a server, as classes made from their descriptions. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { AppData } from 'mediasoup/types';
import { logger } from '../../core/logger.ts';
import { logRejection } from '../../core/logRejections.ts';
import { membersOf, type ClassDescription, type MemberKind, type MembersOf } from '../protocol/describe.ts';
import type { MirrorCore } from './mirrorCore.ts';

const log = logger('events');

const coreKey = Symbol('core');

export type EventsMap = Record<string, unknown[]>;
/** Events of an emitter, with the one that mediasoup adds to all. */
type AllEvents<Events> = Events & { listenererror: [name: keyof Events, error: Error] };
type Name<Events> = keyof AllEvents<Events> & string;

export class Mirror<Events extends EventsMap, ObserverEvents extends EventsMap> extends EnhancedEventEmitter<Events> {
  readonly observer = new EnhancedEventEmitter<ObserverEvents>();
  appData: AppData;
  readonly [coreKey]: MirrorCore;

  constructor(core: MirrorCore, appData: AppData) {
    super();
    this[coreKey] = core;
    this.appData = appData;
    core.bind(this);
  }

  get closed(): boolean {
    return this[coreKey].closed;
  }

  close(): void {
    this[coreKey].close();
  }

  /** Emits an event, and logs what a listener throws, as mediasoup does: it would vanish otherwise. */
  override safeEmit<K extends Name<Events>>(name: K, ...args: AllEvents<Events>[K]): boolean {
    try {
      return this.emit(name, ...args);
    } catch (error) {
      log.error('a listener of %s threw: %o', name, error);
      if (name !== 'listenererror')
        (this as unknown as EnhancedEventEmitter).safeEmit('listenererror', name, error as Error);
      return this.listenerCount(name) > 0;
    }
  }

  // The server sends some events only to those who listen. These methods tell it: each object has them from its class,
  // where listeners for `newListener` and `removeListener` would take memory for each.

  override on<K extends Name<Events>>(name: K, listener: (...args: AllEvents<Events>[K]) => void): this {
    super.on(name, listener);
    return this.#told(name);
  }

  override addListener<K extends Name<Events>>(name: K, listener: (...args: AllEvents<Events>[K]) => void): this {
    return this.on(name, listener);
  }

  override prependListener<K extends Name<Events>>(name: K, listener: (...args: AllEvents<Events>[K]) => void): this {
    super.prependListener(name, listener);
    return this.#told(name);
  }

  override off<K extends Name<Events>>(name: K, listener: (...args: AllEvents<Events>[K]) => void): this {
    super.off(name, listener);
    return this.#told(name);
  }

  override removeListener<K extends Name<Events>>(name: K, listener: (...args: AllEvents<Events>[K]) => void): this {
    return this.off(name, listener);
  }

  override removeAllListeners<K extends Name<Events>>(name?: K): this {
    super.removeAllListeners(name);
    return this.#told(name);
  }

  #told(name: string | undefined): this {
    this[coreKey].noteListeners(name);
    return this;
  }
}

export function coreOf(object: object): MirrorCore | undefined {
  return (object as { [coreKey]?: MirrorCore })[coreKey];
}

type MirrorMembers<T, M> = Pick<T, MembersOf<M, Exclude<MemberKind, 'local' | 'closing'>> & keyof T>;

type MirrorConstructor<T, M, Events extends EventsMap, ObserverEvents extends EventsMap> = new (
  core: MirrorCore,
  appData: AppData,
) => Mirror<Events, ObserverEvents> & MirrorMembers<T, M>;

/** Makes a base class with every member of T that the description does not leave to the mirror itself. */
export function mirrorClass<T, Events extends EventsMap, ObserverEvents extends EventsMap>() {
  return <M extends ClassDescription['members']>(
    description: ClassDescription & { members: M },
  ): MirrorConstructor<T, M, Events, ObserverEvents> => {
    class DescribedMirror extends Mirror<Events, ObserverEvents> {}
    for (const name of membersOf(description, 'fixed', 'changing')) {
      define(name, {
        get: function (this: DescribedMirror) {
          return this[coreKey].read(name);
        },
      });
    }
    for (const name of membersOf(description, 'call', 'create')) {
      define(name, {
        value: function (this: DescribedMirror, ...args: unknown[]) {
          return logRejection(this[coreKey].call(name, args), `${name}()`);
        },
        writable: true,
      });
    }
    for (const name of membersOf(description, 'send')) {
      define(name, {
        value: function (this: DescribedMirror, ...args: unknown[]) {
          this[coreKey].send(name, args);
        },
        writable: true,
      });
    }
    for (const name of membersOf(description, 'ending')) {
      const event = name.toLowerCase().replace(/d$/, '');
      define(name, {
        value: function (this: DescribedMirror) {
          this[coreKey].end(event, []);
        },
      });
    }
    return DescribedMirror as unknown as MirrorConstructor<T, M, Events, ObserverEvents>;

    function define(name: string, descriptor: PropertyDescriptor): void {
      Object.defineProperty(DescribedMirror.prototype, name, { configurable: true, ...descriptor });
    }
  };
}
