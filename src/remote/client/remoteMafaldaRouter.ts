/** A MafaldaRouter of a server, as it is here. */
import { NotFoundError } from 'mediasoup/errors';
import type { Router, RouterOptions, Worker } from 'mediasoup/types';
import { MafaldaRouterBase } from '../../base/mafaldaRouterBase.ts';
import type { MafaldaRouterOptions } from '../../api/types.ts';
import type { PipeableMafaldaRouter } from '../../base/pipeableMafaldaRouter.ts';
import { isCreateMethod, separatePlacement, type CreateMethod } from '../../api/createOptions.ts';
import { mafaldaRouterCalls } from '../protocol/classes.ts';
import { MAFALDA_TARGET } from '../protocol/messages.ts';
import { coreOf } from './mirror.ts';
import type { Caller } from './mirrorCore.ts';

abstract class CallingMafaldaRouter extends MafaldaRouterBase {
  abstract call(method: string, args: unknown[]): Promise<unknown>;
}

type Calls = Pick<PipeableMafaldaRouter, (typeof mafaldaRouterCalls)[number]>;

/** All that can be called at the server has its method here: they are defined right below. */
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
  readonly #caller: Caller;
  #options: MafaldaRouterOptions;
  #attached: Promise<unknown> | undefined;
  /** By which the server tells it apart from others that had its id before. */
  #number: number | undefined;
  #ending: 'close' | 'leave' = 'close';

  constructor(caller: Caller, id: string, options: MafaldaRouterOptions) {
    super(id, true);
    this.#caller = caller;
    this.#options = { ...options, id };
  }

  async call(method: string, given: unknown[]): Promise<unknown> {
    this.assertOpen();
    const args = isCreateMethod(method) ? [withPlacement(method, given[0] ?? {})] : given;
    // Nothing happens at the server until something is needed. Both requests go out together: one round trip.
    this.#attached ??= this.#attach();
    const [attached, called] = await Promise.allSettled([this.#attached, this.#caller.call(this.id, method, args)]);
    if (attached.status === 'rejected') {
      this.#attached = undefined;
      throw attached.reason;
    }
    if (called.status === 'rejected') throw called.reason;
    return called.value;
  }

  async #attach(): Promise<void> {
    const number = await this.#caller.call(MAFALDA_TARGET, 'createMafaldaRouter', [this.#options]);
    if (typeof number === 'number') this.#number = number;
  }

  get routerOptions(): RouterOptions {
    return this.#options.routerOptions ?? {};
  }

  /** Whether it is in use already is the server's to say: then there is an `error`, and all is as before. */
  define(routerOptions: RouterOptions): void {
    const before = this.#options;
    this.#options = { ...before, routerOptions };
    const refuse = (error: Error): void => {
      this.#options = before;
      this.reportError(error);
    };
    if (this.#attached) this.#caller.call(MAFALDA_TARGET, 'createMafaldaRouter', [this.#options]).catch(refuse);
  }

  /** To be called when the server has created a Router. */
  addRouter(router: Router, worker: Worker, workerId: string): void {
    const { appData } = this.routerOptions;
    // The application's own object, as it would be in one process.
    if (appData) Object.assign(router, { appData });
    this.tree.addRouter(router, worker, workerId);
    this.safeEmit('newrouter', router, worker);
  }

  override reportWorkerDied(worker: Worker, error: Error): void {
    super.reportWorkerDied(worker, error);
  }

  /** To be called when it has been closed at the server, or the server is gone: there is nobody left to tell. */
  async closedByServer(): Promise<void> {
    this.#attached = undefined;
    await this.close();
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
    for (const router of this.routers.values()) coreOf(router)?.end(undefined, []);
    try {
      await closing;
    } catch (error) {
      // Somebody else has closed it.
      if (!(error instanceof NotFoundError)) throw error;
    }
  }
}

/** What is behind the server may have a choice of nodes: one that is named by its object here is known there by its URL, if at all. */
function withPlacement(method: CreateMethod, options: object): object {
  const { rest, placement } = separatePlacement(method, options);
  if (placement === undefined) return rest;
  const { node, ...wishes } = placement;
  const name = typeof node === 'object' ? (node as { url?: string }).url : node;
  return { ...rest, placement: name === undefined ? wishes : { ...wishes, node: name } };
}
