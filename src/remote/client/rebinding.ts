/**
 * Move of a client's objects to another server: attaches there to the MafaldaRouters that the client uses, so that the
 * server shows their objects, closes what is not there any more, and makes the client's own objects its own there too.
 */
import { logger } from '../../core/logger.ts';
import { turns } from '../../core/turns.ts';
import { MAX_ADOPTED } from '../protocol/validate.ts';
import type { MirrorCore } from './mirrorCore.ts';
import type { Mirrors } from './mirrors.ts';
import type { RemoteMafaldaRouter } from './remoteMafaldaRouter.ts';
import type { Caller } from './mirrorCore.ts';

const log = logger('client');

/** Interval at which a server is asked again that has not heard from all of its own nodes yet, in ms. */
const REPEAT_MS = 1000;

export interface RebindingOptions {
  mirrors: Pick<Mirrors, 'endMissing' | 'ownIn'>;
  mafaldaRouters: Iterable<RemoteMafaldaRouter>;
  /** Calls the server ahead of all other calls. */
  call: Caller['call'];
  /** Time after which objects that are not shown count as gone, in ms: as long as those below keep a lost session. */
  patienceMs: number;
}

export class Rebinding {
  readonly call: RebindingOptions['call'];
  readonly #mirrors: RebindingOptions['mirrors'];
  readonly #mafaldaRouters: readonly RemoteMafaldaRouter[];
  readonly #until: number;
  readonly #adopted = new WeakSet<MirrorCore>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** MafaldaRouters in which objects have been shown late, and are about to be adopted. */
  readonly #late = new Set<RemoteMafaldaRouter>();
  #isStopped = false;
  /** Whether objects that are shown from now on are to be adopted at once. */
  #hasAdopted = false;

  constructor({ mirrors, mafaldaRouters, call, patienceMs }: RebindingOptions) {
    this.call = call;
    this.#mirrors = mirrors;
    this.#mafaldaRouters = [...mafaldaRouters].filter(({ isAttached }) => isAttached);
    this.#until = performance.now() + patienceMs;
  }

  /** Attaches to all MafaldaRouters. Resolves when each has been shown once. Never rejects. */
  async attach(): Promise<void> {
    const attaching = this.#mafaldaRouters.map(mafaldaRouter =>
      this.#look(mafaldaRouter, () => mafaldaRouter.attachAgain(this.call)),
    );
    await Promise.all(attaching);
  }

  /** Adopts an object that is shown later than the others, since its node was not connected before. */
  onBound({ isOwn, mafaldaRouter }: MirrorCore): void {
    const found = isOwn && this.#hasAdopted && this.#mafaldaRouters.find(({ id }) => id === mafaldaRouter);
    if (!found || this.#late.has(found)) return;
    this.#late.add(found);
    this.#later(() => {
      this.#late.delete(found);
      return this.#adoptIn(found);
    }, 0);
  }

  /** Makes the client's own objects, as far as they are shown, its own at the server. Never rejects. */
  async adopt(): Promise<void> {
    this.#hasAdopted = true;
    await Promise.all(this.#mafaldaRouters.map(mafaldaRouter => this.#adoptIn(mafaldaRouter)));
  }

  /** Ends it: the session has ended, or the client moves on. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Closes what is missing once the server has shown all objects, or the patience is over; else looks again later. */
  async #look(mafaldaRouter: RemoteMafaldaRouter, ask: () => Promise<boolean>): Promise<void> {
    let isComplete = false;
    try {
      isComplete = await ask();
    } catch (error) {
      log.warn('%s: %o', mafaldaRouter.id, error);
    }
    if (this.#isStopped || mafaldaRouter.closed) return;
    if (isComplete || performance.now() >= this.#until) return turns.run(this.#mirrors.endMissing(mafaldaRouter.id));
    this.#later(() => this.#lookAgain(mafaldaRouter));
  }

  async #lookAgain(mafaldaRouter: RemoteMafaldaRouter): Promise<void> {
    await this.#look(mafaldaRouter, () => mafaldaRouter.attachAgain(this.call));
    if (!this.#isStopped) await this.#adoptIn(mafaldaRouter);
  }

  async #adoptIn(mafaldaRouter: RemoteMafaldaRouter): Promise<void> {
    const { id } = mafaldaRouter;
    const own = this.#mirrors.ownIn(id).filter(core => !this.#adopted.has(core));
    for (const core of own) this.#adopted.add(core);
    for (let from = 0; from < own.length; from += MAX_ADOPTED) {
      const handles = own.slice(from, from + MAX_ADOPTED).map(({ handle }) => handle);
      try {
        await this.call(id, 'adopt', [handles]);
      } catch (error) {
        log.warn('adopting %d objects in %s: %o', handles.length, id, error);
        for (const core of own.slice(from)) this.#adopted.delete(core);
        if (performance.now() < this.#until) this.#later(() => this.#adoptIn(mafaldaRouter));
        return;
      }
    }
  }

  #later(act: () => Promise<void>, ms = REPEAT_MS): void {
    if (this.#isStopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void act();
    }, ms);
    this.#timers.add(timer);
  }
}
