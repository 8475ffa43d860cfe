/**
 * Objects that the application has closed, which the server may not have received, since a message can be lost with a
 * session. They are remembered until the server has confirmed them, also across the end of a session: handles mean the
 * same as long as the server's process lives.
 */
import { logger } from '../../core/logger.ts';
import type { MirrorCore } from './mirrorCore.ts';
import type { Unconfirmed } from '../protocol/messages.ts';
import { MAX_UNCONFIRMED } from '../protocol/validate.ts';

const log = logger('client');

/** Number of remembered closes, beyond which the oldest are forgotten: the server may be gone for good. */
const MAX_REMEMBERED = 10_000;

/**
 * Properties that an object has in common at all servers that show it. The id of its parent tells a stream from its copies, which
 * have the same id.
 */
export type Identified = Pick<MirrorCore, 'className' | 'id' | 'parentId' | 'mafaldaRouter'>;

interface Close {
  readonly object: Identified;
  /** Number of the message in the present session. */
  readonly number: number;
}

/** Returns a string that all servers that show an object have in common. */
function identityOf({ className, id, parentId, mafaldaRouter }: Identified): string {
  return JSON.stringify([mafaldaRouter, className, id, parentId]);
}

export class UnconfirmedCloses {
  /** Objects by handle, in the order of their messages. */
  readonly #objects = new Map<number, Close>();
  /** Objects whose messages were lost with their session, by handle. */
  readonly #lost = new Map<number, Identified>();
  /** Identities of objects that were closed at a server that this client has moved away from. */
  readonly #unbound = new Map<string, true>();
  /** Ids of closed MafaldaRouters, by their attachment numbers. */
  readonly #mafaldaRouters = new Map<number, string>();

  /** Remembers a closed object. @param number of the message that closes it */
  add(object: Identified & Pick<MirrorCore, 'handle'>, number: number): void {
    const { handle, className, id, parentId, mafaldaRouter } = object;
    this.#objects.set(handle, { object: { className, id, parentId, mafaldaRouter }, number });
    forgetOldest(this.#objects, this.#lost);
  }

  /** Remembers an object that is closed before the present server has shown it. */
  addUnbound(object: Identified): void {
    this.#unbound.set(identityOf(object), true);
    forgetOldest(this.#unbound);
  }

  /** Whether the object has been closed before the present server has shown it, which it does now. */
  takeUnbound(object: Identified): boolean {
    return this.#unbound.size > 0 && this.#unbound.delete(identityOf(object));
  }

  /** Forgets the handles, which mean nothing at another server, but not the objects. */
  onMoved(): void {
    for (const { object } of this.#objects.values()) this.addUnbound(object);
    for (const object of this.#lost.values()) this.addUnbound(object);
    this.#objects.clear();
    this.#lost.clear();
    this.#mafaldaRouters.clear();
  }

  /** Remembers a closed MafaldaRouter. @param number of its attachment */
  addMafaldaRouter(mafaldaRouter: string, number: number): void {
    this.#mafaldaRouters.set(number, mafaldaRouter);
    forgetOldest(this.#mafaldaRouters);
  }

  /** Forgets a MafaldaRouter whose closing the server has confirmed. */
  confirmMafaldaRouter(number: number): void {
    this.#mafaldaRouters.delete(number);
  }

  /** Forgets objects whose messages have arrived. @param delivered number of the latest message that has arrived */
  confirm(delivered: number): void {
    for (const [handle, { number }] of this.#objects) {
      if (number > delivered) return;
      this.#objects.delete(handle);
    }
  }

  /** Whether the application has closed the object, so that messages about it are ignored. */
  has(handle: number): boolean {
    return this.#objects.has(handle) || this.#lost.has(handle);
  }

  /**
   * Keeps unconfirmed objects for the next session. To be called at the end of a session, after a last {@link confirm}.
   */
  onSessionLost(): void {
    for (const [handle, { object }] of this.#objects) this.#lost.set(handle, object);
    this.#objects.clear();
  }

  /** Forgets everything. To be called for a new server process, in which handles have other meanings. */
  clear(): void {
    this.#objects.clear();
    this.#lost.clear();
    this.#unbound.clear();
    this.#mafaldaRouters.clear();
  }

  /** Returns the closes that were lost with earlier sessions, with callbacks for their confirmation. */
  takeLost(): { unconfirmed: Unconfirmed; onConfirmed: () => void }[] {
    const byId = new Map<string, Unconfirmed[]>();
    for (const [handle, { mafaldaRouter = '' }] of this.#lost) {
      const last = byId.get(mafaldaRouter)?.at(-1);
      if (last && last.handles.length < MAX_UNCONFIRMED) last.handles.push(handle);
      else byId.set(mafaldaRouter, [...(byId.get(mafaldaRouter) ?? []), { mafaldaRouter, handles: [handle] }]);
    }
    for (const [number, mafaldaRouter] of this.#mafaldaRouters) {
      byId.set(mafaldaRouter, [...(byId.get(mafaldaRouter) ?? []), { mafaldaRouter, handles: [], number }]);
    }
    return [...byId.values()].flat().map(unconfirmed => ({
      unconfirmed,
      onConfirmed: () => {
        for (const handle of unconfirmed.handles) this.#lost.delete(handle);
        if (unconfirmed.number !== undefined) this.#mafaldaRouters.delete(unconfirmed.number);
      },
    }));
  }
}

/** Forgets the oldest entry if there are too many. @param older entries that are older than all others */
function forgetOldest<Key>(remembered: Map<Key, unknown>, older: Map<Key, unknown> = new Map()): void {
  if (remembered.size + older.size <= MAX_REMEMBERED) return;
  const oldest = older.size > 0 ? older : remembered;
  const [key] = oldest.keys();
  log.warn(
    'the server has not confirmed that %d objects were closed: forgetting the oldest',
    remembered.size + older.size,
  );
  if (key !== undefined) oldest.delete(key);
}
