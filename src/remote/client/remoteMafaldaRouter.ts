/** Mirror of a MafaldaRouter of a server. */
import { NotFoundError } from 'mediasoup/errors';
import type { Router, RouterOptions, Worker } from 'mediasoup/types';
import { MafaldaRouterBase } from '../../base/mafaldaRouterBase.ts';
import type { MafaldaRouterOptions } from '../../api/types.ts';
import type { PipeableMafaldaRouter } from '../../base/pipeableMafaldaRouter.ts';
import { isCreateMethod, separatePlacement, type CreateMethod } from '../../api/createOptions.ts';
import { mafaldaRouterCalls } from '../protocol/calls.ts';
import { MAFALDA_TARGET } from '../protocol/messages.ts';
import { logger } from '../../core/logger.ts';
import { MAX_ADOPTED } from '../protocol/validate.ts';
import { coreOf } from './mirror.ts';
import type { Caller } from './mirrorCore.ts';

const log = logger('client');

export interface RoomCaller extends Caller {
  /**
   * Takes the steps by which many objects end, in turns with other work, and delivers nothing from the server meanwhile.
   * Resolves when they have ended.
   */
  endInTurns(steps: Iterator<void, void>): Promise<void>;
}

abstract class CallingMafaldaRouter extends MafaldaRouterBase {
  abstract call(method: string, args: unknown[]): Promise<unknown>;
}

type Calls = Pick<PipeableMafaldaRouter, (typeof mafaldaRouterCalls)[number]>;

/** Base class with a method for each call that the server offers, defined right below. */
const MafaldaRouterWithCalls = CallingMafaldaRouter as unknown as abstract new (
  id: string,
  network: boolean,
) => CallingMafaldaRouter & Calls;

for (const name of mafaldaRouterCalls) {
  Object.defineProperty(CallingMafaldaRouter.prototype, name, {
    configurable: true,
    writable: true,
    value: function (this: CallingMafaldaRouter, ...args: unknown[]) {
      return this.call(name, args);
    },
  });
}

export class RemoteMafaldaRouter extends MafaldaRouterWithCalls implements PipeableMafaldaRouter {
  readonly #caller: RoomCaller;
  #options: MafaldaRouterOptions;
  #attached: Promise<unknown> | undefined;
  /** The same promise once it has resolved: later calls need not wait for it. */
  #confirmed: Promise<unknown> | undefined;
  /** Number that distinguishes it from other MafaldaRouters of its id at the server. */
  #number: number | undefined;
  #ending: 'close' | 'leave' = 'close';

  constructor(caller: RoomCaller, id: string, options: MafaldaRouterOptions) {
    super(id, true);
    this.#caller = caller;
    this.#options = { ...options, id };
  }

  async call(method: string, given: unknown[]): Promise<unknown> {
    this.assertOpen();
    const args = isCreateMethod(method) ? [withPlacement(method, given[0] ?? {})] : given;
    // The first call attaches, together with the call itself in one round trip; before it the server has nothing to do.
    const attaching = (this.#attached ??= this.#attach());
    if (this.#confirmed === attaching) return this.#caller.call(this.id, method, args);
    const [attached, called] = await Promise.allSettled([attaching, this.#caller.call(this.id, method, args)]);
    if (attached.status === 'rejected') {
      this.#attached = undefined;
      throw attached.reason;
    }
    this.#confirmed = attaching;
    if (called.status === 'rejected') throw called.reason;
    return called.value;
  }

  /** Whether a server knows that this client uses it. */
  get isAttached(): boolean {
    return this.#attached !== undefined && !this.closed;
  }

  /**
   * Attaches to it at another server.
   * @returns whether the server has shown all of its objects
   */
  async attachAgain(call: Caller['call']): Promise<boolean> {
    const attached = this.#attach(call);
    this.#attached = attached;
    const [, isComplete] = await Promise.all([attached, call(this.id, 'attach', [])]);
    return isComplete === true;
  }

  /** Takes over objects that another client has made. */
  async adopt(objects: readonly object[]): Promise<void> {
    const mirrors = objects.flatMap(object => coreOf(object) ?? []).filter(({ closed, isBound }) => !closed && isBound);
    for (const mirror of mirrors) mirror.markAdopted();
    for (let from = 0; from < mirrors.length; from += MAX_ADOPTED) {
      const handles = mirrors.slice(from, from + MAX_ADOPTED).map(({ handle }) => handle);
      await this.call('adopt', [handles]);
    }
  }

  /** Takes a call that was made already for the one that attaches. @param call answered with the attachment's number */
  attachBy(call: Promise<number | undefined>): void {
    this.#attached ??= this.#note(call);
    // Calls that need the attachment see its failure.
    this.#attached.catch(() => undefined);
  }

  /** Takes over the options that others have given at the server. */
  learn(routerOptions: RouterOptions): void {
    if (!this.#options.routerOptions && Object.keys(routerOptions).length > 0)
      this.#options = { ...this.#options, routerOptions };
  }

  #attach(call: Caller['call'] = (...request) => this.#caller.call(...request)): Promise<void> {
    return this.#note(call(MAFALDA_TARGET, 'createMafaldaRouter', [this.#options]));
  }

  async #note(call: Promise<unknown>): Promise<void> {
    const number = await call;
    if (typeof number === 'number') this.#number = number;
  }

  get routerOptions(): RouterOptions {
    return this.#options.routerOptions ?? {};
  }

  /**
   * Sets the options. If the server refuses them, since it is in use already, emits an `error` and restores the old
   * options.
   */
  define(routerOptions: RouterOptions): void {
    const before = this.#options;
    this.#options = { ...before, routerOptions };
    const refuse = (error: Error): void => {
      this.#options = before;
      this.reportError(error);
    };
    if (this.#attached) this.#caller.call(MAFALDA_TARGET, 'createMafaldaRouter', [this.#options]).catch(refuse);
  }

  /** Adds a Router that the server has announced. */
  addRouter(router: Router, worker: Worker, workerId: string): void {
    const { appData } = this.routerOptions;
    // The Router gets the application's own object, as it would in one process.
    if (appData) Object.assign(router, { appData });
    this.tree.addRouter(router, worker, workerId);
    this.safeEmit('newrouter', router, worker);
  }

  override reportWorkerDied(worker: Worker, error: Error): void {
    super.reportWorkerDied(worker, error);
  }

  override markClosed(): void {
    super.markClosed();
    this.#attached = undefined;
  }

  /**
   * Closes without a message, since it has been closed at the server, or the server is gone. It counts as closed at once,
   * with all that is in it.
   * @returns the steps by which all of it ends
   */
  closedByServer(): Generator<void, void, undefined> {
    this.markClosed();
    this.#markObjectsClosed();
    return this.#ends();
  }

  *#ends(): Generator<void, void, undefined> {
    yield* this.#objectsEnd();
    this.close().catch(error => log.warn('%s: %o', this.id, error));
  }

  #markObjectsClosed(): void {
    for (const router of this.routers.values()) coreOf(router)?.markClosed();
  }

  *#objectsEnd(): Generator<void, void, undefined> {
    for (const router of this.routers.values()) {
      const core = coreOf(router);
      if (core) yield* core.ending(undefined, []);
    }
  }

  override async leave(): Promise<void> {
    this.#ending = 'leave';
    await this.close();
  }

  override closeLost(): void {
    if (this.closed && this.#number !== undefined) this.#caller.closeLostMafaldaRouter(this.id, this.#number);
  }

  #end(): Promise<unknown> {
    return this.#ending === 'close'
      ? this.#caller.closeMafaldaRouter(this.id, this.#number)
      : this.#caller.call(this.id, 'leave', []);
  }

  protected async release(): Promise<void> {
    const closing = this.#attached && this.#end();
    await Promise.all([untilClosed(closing), this.#endObjects()]);
  }

  /** Ends all objects: they count as closed at once, and tell so in turns with other work if they are many. */
  #endObjects(): Promise<void> | undefined {
    if (this.isLarge) {
      this.#markObjectsClosed();
      return this.#caller.endInTurns(this.#objectsEnd());
    }
    for (const router of this.routers.values()) coreOf(router)?.end(undefined, []);
    return undefined;
  }
}

async function untilClosed(closing: Promise<unknown> | undefined): Promise<void> {
  try {
    await closing;
  } catch (error) {
    // NotFoundError means that it has been closed by another client in the meantime.
    if (!(error instanceof NotFoundError)) throw error;
  }
}

/**
 * Names a node by its URL, since the server may have nodes to choose from, and does not know the object that names it
 * here.
 */
function withPlacement(method: CreateMethod, options: object): object {
  const { rest, placement } = separatePlacement(method, options);
  if (placement === undefined) return rest;
  const { node, ...wishes } = placement;
  const name = typeof node === 'object' ? (node as { url?: string }).url : node;
  return { ...rest, placement: name === undefined ? wishes : { ...wishes, node: name } };
}
