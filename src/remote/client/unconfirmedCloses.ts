/**
 * What the application has closed, and the server may not have heard of: to be connected is not to be told. It is remembered until the
 * server has confirmed it, also across the end of a session: handles mean the same as long as the server's process lives.
 */
import { logger } from '../../core/logger.ts';
import type { Unconfirmed } from '../protocol/messages.ts';
import { MAX_UNCONFIRMED } from '../protocol/validate.ts';

const log = logger('client');

/** Beyond this the oldest are forgotten: the server may be gone for good. */
const MAX_REMEMBERED = 10_000;

interface Close {
  readonly mafaldaRouter: string;
  /** That of the message in the present session. */
  readonly number: number;
}

export class UnconfirmedCloses {
  /** By handle, in the order of their numbers. */
  readonly #objects = new Map<number, Close>();
  /** Of those whose messages were lost with their session, the MafaldaRouters, by handle. */
  readonly #lost = new Map<number, string>();
  /** MafaldaRouters that were closed, by their numbers. */
  readonly #mafaldaRouters = new Map<number, string>();

  /** To be called when an object has been closed. @param number of the message that says so */
  add(handle: number, mafaldaRouter: string, number: number): void {
    this.#objects.set(handle, { mafaldaRouter, number });
    forgetOldest(this.#objects, this.#lost);
  }

  /** To be called when a MafaldaRouter has been closed. */
  addMafaldaRouter(mafaldaRouter: string, number: number): void {
    this.#mafaldaRouters.set(number, mafaldaRouter);
    forgetOldest(this.#mafaldaRouters);
  }

  /** To be called when the server has answered. */
  confirmMafaldaRouter(number: number): void {
    this.#mafaldaRouters.delete(number);
  }

  /** The server has got all messages up to this one. */
  confirm(delivered: number): void {
    for (const [handle, { number }] of this.#objects) {
      if (number > delivered) return;
      this.#objects.delete(handle);
    }
  }

  /** Whether the object is closed for the application, whatever the server still tells of it. */
  has(handle: number): boolean {
    return this.#objects.has(handle) || this.#lost.has(handle);
  }

  /** To be called when the session is over, after a last {@link confirm}. */
  onSessionLost(): void {
    for (const [handle, { mafaldaRouter }] of this.#objects) this.#lost.set(handle, mafaldaRouter);
    this.#objects.clear();
  }

  /** To be called when it is another process that serves: nothing of this means anything to it. */
  clear(): void {
    this.#objects.clear();
    this.#lost.clear();
    this.#mafaldaRouters.clear();
  }

  /** What was lost with earlier sessions, and what to call when the server has heard of it. */
  takeLost(): { unconfirmed: Unconfirmed; onConfirmed: () => void }[] {
    const byId = new Map<string, Unconfirmed[]>();
    for (const [handle, mafaldaRouter] of this.#lost) {
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

/** @param older what was remembered before all of these */
function forgetOldest(remembered: Map<number, unknown>, older: Map<number, unknown> = new Map()): void {
  if (remembered.size + older.size <= MAX_REMEMBERED) return;
  const oldest = older.size > 0 ? older : remembered;
  const [handle] = oldest.keys();
  log('the server has not confirmed that %d objects were closed: forgetting the oldest', remembered.size + older.size);
  if (handle !== undefined) oldest.delete(handle);
}
