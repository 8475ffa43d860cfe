/** Calls of one client: found, checked, counted, performed, and what they have made given to the client as its own. */
import { NotFoundError } from 'mediasoup/errors';
import type { PipeToRouterResult } from 'mediasoup/types';
import type { Addresses } from '../../core/addresses/addresses.ts';
import { setKey } from '../../core/idempotencyKeys.ts';
import { isClosable } from '../../core/onceClosed.ts';
import { NodeDrainingError } from '../../api/errors.ts';
import { ReceivedCapabilities } from '../protocol/capabilities.ts';
import { decode, encode } from '../protocol/codec.ts';
import type { Measure } from '../protocol/measure.ts';
import type { ClientMessage } from '../protocol/messages.ts';
import { acceptCapabilities } from './acceptCapabilities.ts';
import { checkArguments } from './checkArguments.ts';
import type { Draining } from './draining.ts';
import type { Member } from './exportedObject.ts';
import { isPipe } from './exports.ts';
import { guardPair, guardPiped } from './guardPipe.ts';
import { closeMade } from './holding.ts';
import type { Memberships } from './memberships.ts';
import type { Methods } from './methods.ts';
import type { Quota } from './quota.ts';
import type { ServedMafalda } from './servedMafalda.ts';
import type { ServerLoad } from './serverLoad.ts';
import type { ServerTally } from './serverTally.ts';
import type { Targets } from './targets.ts';

type Args = unknown[];

/** Methods by which a client only looks at an object, or ends it. */
const isNoUse: ReadonlySet<string> = new Set(['close', 'dump', 'getStats']);

/** Message that has a method performed. */
export type Performable = Extract<ClientMessage, { type: 'call' | 'send' }>;

export interface ClientCallsContext {
  /** The session whose client calls. */
  readonly member: Member;
  readonly served: ServedMafalda;
  readonly memberships: Memberships;
  readonly methods: Methods;
  readonly quota: Quota;
  readonly load: ServerLoad;
  readonly addresses: Addresses;
  /** Addresses that media may be sent to; undefined if there is no restriction. */
  readonly targets: Targets | undefined;
  readonly draining: Draining;
  readonly tally: ServerTally;
}

export class ClientCalls {
  readonly #context: ClientCallsContext;
  readonly #capabilities = new ReceivedCapabilities(acceptCapabilities);

  constructor(context: ClientCallsContext) {
    this.#context = context;
  }

  /** Fills a slot, to which later calls refer. @returns the bytes that it takes more than before */
  remember({ slot, rtpCapabilities }: Extract<ClientMessage, { type: 'capabilities' }>): number {
    return this.#capabilities.remember(slot, rtpCapabilities);
  }

  /**
   * Performs a call or a send. It begins synchronously, so that calls that arrive together are made in their order.
   * @throws {LimitError} beyond a limit of the client's
   * @throws {NodeDrainingError} if it creates something new on a server that is being drained
   * @throws {Error} as the method
   */
  async perform(message: Performable, size: Measure): Promise<unknown> {
    const settle = this.#context.quota.admitCall(message.method, size);
    try {
      return await this.#perform(message);
    } finally {
      settle();
    }
  }

  async #perform(message: Performable): Promise<unknown> {
    const { served, memberships, methods, quota, addresses, targets, draining } = this.#context;
    const { target, method: name } = message;
    const args = this.#decode(this.#capabilities.complete(message.args)) as Args;
    const exported = typeof target === 'number' && target > 0 ? this.#shown(target) : undefined;
    const method = methods.find(target, exported, name);
    checkArguments(name, method.shapes, args, object => served.exports.byObject(object)?.className);
    targets?.check(name, exported?.className, args);
    if (method.creates || name === 'updateMediaCodecs') quota.admitObject(name, memberships.size);
    if (draining.isOn && method.beginsNew)
      throw new NodeDrainingError(`${name}(): this server is being drained, and takes nothing new: use another one`);
    const mafaldaRouterId = typeof target === 'string' ? target : exported?.exporter.mafaldaRouterId;
    const holding = mafaldaRouterId === undefined ? undefined : memberships.get(mafaldaRouterId);
    if (exported && holding && !isNoUse.has(name)) served.takeOver(holding, exported);
    if (method.creates && message.type === 'call' && message.key !== undefined) markArguments(args, message.key);
    let result: unknown;
    try {
      if (name === 'pipeToRouter') guardPair(args[0]);
      result = await this.#measured(name, method.creates, () => method.call(...addresses.complete(name, args)));
      if (name === 'pipeToRouter') guardPiped(result);
    } catch (error) {
      throw addresses.explain(error);
    } finally {
      // Creating a child does not change the object, and a closed object needs no changes.
      if (exported && !method.creates && !exported.node.object.closed) exported.exporter.sendChanges(exported);
    }
    if (method.creates && holding?.isOpen === false) {
      // pipeToRouter() makes two objects.
      for (const made of name === 'pipeToRouter' ? Object.values(result as PipeToRouterResult) : [result])
        closeMade(made);
      throw new NotFoundError(`${name}(): this client has left MafaldaRouter "${mafaldaRouterId}" in the meantime`);
    }
    return encode(result, object => {
      const known = method.creates ? served.exports.byObject(object) : undefined;
      // A pipe may carry other clients' streams too, so it does not close with the session that has asked for it first.
      if (known && !isPipe(known.node)) {
        known.listenToAll(this.#context.member);
        holding?.add(known);
      }
      return served.exports.handleOf(object);
    });
  }

  /** Counts the load of a call that creates objects, and measures the time of each call, if somebody observes that. */
  async #measured(name: string, creates: boolean, act: () => unknown): Promise<unknown> {
    const { load, tally } = this.#context;
    const { onCall } = tally;
    const startedAt = onCall ? performance.now() : 0;
    const settle = creates ? load.admit(name) : undefined;
    let succeeded = false;
    let result: unknown;
    try {
      result = await act();
      succeeded = true;
      return result;
    } finally {
      settle?.(succeeded, isClosable(result) ? result : undefined);
      onCall?.(name, (performance.now() - startedAt) / 1000, succeeded ? 'ok' : 'error');
    }
  }

  #decode(value: unknown): unknown {
    return decode(value, handle => this.#shown(handle)?.node.object);
  }

  #shown(handle: number): ReturnType<ServedMafalda['shownTo']> {
    return this.#context.served.shownTo(this.#context.member, handle);
  }
}

/** Marks the `appData` of an object to be created with the idempotency key of the call. */
function markArguments(args: Args, key: string): void {
  args[0] ??= {};
  const options = args[0] as { appData?: unknown };
  options.appData ??= {};
  if (typeof options.appData === 'object' && options.appData !== null) setKey(options.appData, key);
}
