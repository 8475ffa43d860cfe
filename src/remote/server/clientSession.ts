/** Session of one client, across its connections: its MafaldaRouters, its own Workers, and its calls. */
import { randomUUID } from 'node:crypto';
import { NotFoundError } from 'mediasoup/errors';
import type { PipeToRouterResult } from 'mediasoup/types';
import type { Socket as ServerSocket } from 'socket.io';
import type { Addresses } from '../../core/addresses/addresses.ts';
import { setKey } from '../../core/idempotencyKeys.ts';
import { logger } from '../../core/logger.ts';
import { NodeDrainingError } from '../../api/errors.ts';
import { turns } from '../../core/turns.ts';
import { classShapes } from '../protocol/argumentShapes.ts';
import { ReceivedCapabilities } from '../protocol/capabilities.ts';
import { lossyEvents } from '../protocol/classes.ts';
import { decode, encode } from '../protocol/codec.ts';
import { encodeError } from '../protocol/errors.ts';
import type { Measure } from '../protocol/measure.ts';
import type { MemoryAccount, MemoryBudget } from '../protocol/memory.ts';
import type { ClientMessage, Credentials, ServerMessage } from '../protocol/messages.ts';
import { Session, type Recovery } from '../protocol/session.ts';
import type { ClientEvents, Received, Sent, ServerEvents, SessionEvents } from '../protocol/socketEvents.ts';
import { isClientMessage } from '../protocol/validate.ts';
import { checkArguments } from './checkArguments.ts';
import type { ExportedObject, Member } from './exportedObject.ts';
import { isPipe } from './exports.ts';
import { guardPair, guardPiped } from './guardPipe.ts';
import type { Draining } from './draining.ts';
import { closeMade, type Owner } from './holding.ts';
import { limitError, type Limits, type ServerUse } from './limits.ts';
import { Memberships } from './memberships.ts';
import { Methods } from './methods.ts';
import type { WorkerRules } from './ownWorkers.ts';
import type { ServedMafalda } from './servedMafalda.ts';
import type { ServerLoad } from './serverLoad.ts';
import type { Targets } from './targets.ts';
import type { ServerTally } from './serverTally.ts';
import type { TreeExport } from './treeExport.ts';
import { TreeSender } from './treeSender.ts';

const log = logger('server');

/** Share of its memory from which on a client is too slow for lossy events, which would be outdated on arrival. */
const SLOW_SHARE = 1 / 4;
/** Values in the arguments of one call; processing more would delay other clients. */
const MAX_VALUES = 20_000;

/** Messages that a snapshot makes up for. */
const inSnapshot: ReadonlySet<ServerMessage['type']> = new Set([
  ...(['add', 'event', 'change'] as const),
  ...(['heldRooms', 'held', 'released'] as const),
]);

type Args = unknown[];

/** The connection to a client. */
export type ClientSocket = ServerSocket<Received<ClientEvents & SessionEvents>, Sent<ServerEvents & SessionEvents>>;

export interface SessionContext extends WorkerRules {
  readonly served: ServedMafalda;
  readonly load: ServerLoad;
  readonly addresses: Addresses;
  /** Addresses that media may be sent to; undefined if there is no restriction. */
  readonly targets: Targets | undefined;
  /** Bytes that are kept for all clients together. */
  readonly memory: MemoryBudget;
  readonly tally: ServerTally;
  readonly draining: Draining;
}

export class ClientSession implements Member {
  readonly id = randomUUID();
  readonly #owner: Owner;
  readonly #served: ServedMafalda;
  readonly #load: ServerLoad;
  readonly #addresses: Addresses;
  readonly #targets: Targets | undefined;
  readonly #rules: WorkerRules;
  readonly #limits: Limits;
  readonly #use: ServerUse;
  readonly #memory: MemoryAccount;
  readonly #budget: MemoryBudget;
  readonly #tally: ServerTally;
  readonly #draining: Draining;
  readonly #session: Session<ServerMessage, ClientMessage>;
  readonly #memberships: Memberships;
  readonly #capabilities = new ReceivedCapabilities(encoded => {
    // References are not resolved, since no object of mediasoup's may be frozen with the capabilities.
    const rtpCapabilities = decode(encoded, () => undefined);
    checkArguments('consume', classShapes.WebRtcTransport.consume, [{ rtpCapabilities }], () => undefined);
    return rtpCapabilities;
  });
  readonly #treeSender = new TreeSender({ member: this, hasRoom: () => this.#session.hasRoom, turns });
  readonly #canMove: boolean;
  #markEnded!: () => void;
  readonly #ended = new Promise<void>(resolve => (this.#markEnded = resolve));
  readonly #methods: Methods;
  #socket: ClientSocket | undefined;
  #pendingCalls = 0;
  /** Objects that are shown to this client, in all MafaldaRouters that it is attached to and in its own Workers. */
  #objects = 0;
  #objectBytes = 0;
  #lastSentLoad = 0;
  #isOver = false;
  #absence: NodeJS.Timeout | undefined;

  /** @param onFailure called when the client has broken the protocol, or is too slow */
  constructor(
    { served, load, addresses, targets, memory, tally, draining, ...rules }: SessionContext,
    { name, instance, canMove = false }: Credentials,
    onFailure: (error: Error) => void,
  ) {
    this.#owner = { session: this.id, name, instance };
    this.#canMove = canMove;
    this.#served = served;
    this.#load = load;
    this.#memberships = new Memberships(served, this, this.#owner);
    this.#methods = new Methods({
      member: this,
      served,
      memberships: this.#memberships,
      treeSender: this.#treeSender,
      rules,
      draining,
      isOver: () => this.#isOver,
    });
    this.#addresses = addresses;
    this.#targets = targets;
    this.#rules = rules;
    this.#limits = rules.limits;
    this.#use = rules.use;
    this.#budget = memory;
    this.#tally = tally;
    this.#draining = draining;
    this.#memory = memory.open(rules.limits.sessionBytes);
    this.#session = new Session<ServerMessage, ClientMessage>(isClientMessage, {
      recovery: this.#recovery(),
      memory: this.#memory,
    });
    this.#session.on('room', () => this.#treeSender.resume());
    this.#session.on('message', (message, size) => this.#onMessage(message, size));
    this.#session.on('failing', reason => this.#socket?.emit('refused', reason));
    this.#session.on('error', onFailure);
  }

  get name(): string | undefined {
    return this.#owner.name;
  }

  get instance(): string | undefined {
    return this.#owner.instance;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** Whether the client knows another server to move to, and can hear that it should. */
  get canMove(): boolean {
    return this.#canMove && this.#socket !== undefined;
  }

  get received(): number {
    return this.#session.received;
  }

  connect(socket: ClientSocket, receivedByClient: number): void {
    clearTimeout(this.#absence);
    this.#socket = socket;
    this.#session.attach(socket, receivedByClient);
  }

  /** Waits `timeoutMs` for the client to come back. Ignored if it is back already, over another connection. */
  disconnect(socket: ClientSocket, timeoutMs: number, onTimeout: () => void): void {
    if (this.#socket !== socket) return;
    this.#detach();
    this.#absence = setTimeout(onTimeout, timeoutMs).unref();
  }

  /**
   * Closes all objects that the session has made. Resolves when the processes of its own Workers have ended.
   * Idempotent.
   */
  async close(): Promise<void> {
    this.#end();
    await Promise.all([this.#memberships.close(), this.#methods.ownWorkers?.close()]);
  }

  /**
   * Ends the session of a client that has not come back in time. Objects that the client knows of, in MafaldaRouters
   * that others use too, stay, since it may come back later.
   */
  async giveUp(): Promise<void> {
    const undelivered = new Set<number>();
    for (const message of this.#session.unacknowledged) {
      const handle = message.type === 'answer' ? referredTo(message.result) : undefined;
      if (handle !== undefined) undelivered.add(handle);
    }
    this.#end();
    await Promise.all([this.#memberships.orphan(undelivered), this.#methods.ownWorkers?.close()]);
  }

  /** Ends the session of a client that has moved to another server, which has taken over its objects. */
  async release(): Promise<void> {
    this.#end();
    this.#memberships.release();
    await this.#methods.ownWorkers?.close();
  }

  /** Asks the client to move to another server. Resolves when it has. */
  async moveOn(): Promise<void> {
    this.#socket?.emit('goodbye');
    await this.#ended;
  }

  /** Sends the reason to the client, if it is connected, and disconnects it. The caller has to close the session. */
  refuse(reason: string, permanent: boolean): void {
    this.#socket?.emit('refused', reason, permanent);
    this.#socket?.disconnect(true);
  }

  send(message: ServerMessage, size?: Measure): void {
    if (message.type === 'closeMafaldaRouter') {
      this.#memberships.forget(message.mafaldaRouter);
      // A client that has called close() gets an answer instead, and may have created another MafaldaRouter of this id.
      if (this.#methods.closing.delete(message.mafaldaRouter)) return;
    }
    if (message.type === 'event' && lossyEvents.has(message.name) && this.#memory.bytes > SLOW_SHARE * this.#memory.max)
      return;
    this.#session.send(message, undefined, size);
  }

  count(objects: number, bytes: number): void {
    this.#objects += objects;
    this.#objectBytes += bytes;
  }

  /** Resolves when all messages that have arrived so far are begun. */
  async untilDelivered(): Promise<void> {
    await this.#session.untilDelivered();
  }

  #end(): void {
    this.#isOver = true;
    this.#detach();
    this.#served.roomTeller.delete(this);
    this.#served.pipeHolds.forget(this);
    this.#treeSender.close();
    for (const message of this.#session.close()) {
      if (message.type !== 'send' || message.method !== 'close' || typeof message.target !== 'number') continue;
      // An acknowledged close() must happen, since the client takes it for done.
      this.#exported(message.target)?.method('close')?.();
    }
    this.#memory.close();
    this.#markEnded();
  }

  #detach(): void {
    clearTimeout(this.#absence);
    this.#session.detach();
    this.#socket = undefined;
  }

  #recovery(): Recovery<ServerMessage> {
    return {
      isInSnapshot: ({ type }) => inSnapshot.has(type),
      isEnding: ({ type }) => type === 'close' || type === 'forget' || type === 'closeMafaldaRouter',
      snapshot: async () => {
        ++this.#tally.snapshots;
        await Promise.all([...this.#trees().map(tree => this.#sendSnapshot(tree)), this.#served.roomTeller.list(this)]);
      },
    };
  }

  #sendSnapshot(tree: TreeExport): Promise<void> {
    tree.startSending(this);
    return this.#treeSender.send(tree);
  }

  #trees(): TreeExport[] {
    const { trees } = this.#memberships;
    const { ownWorkers } = this.#methods;
    return ownWorkers ? [...trees, ownWorkers.tree] : trees;
  }

  #onMessage(message: ClientMessage, size: Measure): void {
    switch (message.type) {
      case 'listen': {
        const { handle, name, listening } = message;
        const exported = this.#exported(handle);
        return listening ? exported?.listen(name, this) : exported?.unlisten(name, this);
      }
      case 'followRooms':
        return this.#served.roomTeller.add(this, this.#treeSender);
      case 'capabilities':
        return this.#memory.add(this.#capabilities.remember(message.slot, message.rtpCapabilities));
      case 'send':
        this.#performOne(message, size).catch(error => log.warn('%s: %o', message.method, error));
        return;
      case 'call':
        return void this.#answer(message, size);
      default:
        return message satisfies never;
    }
  }

  async #answer(call: Extract<ClientMessage, { type: 'call' }>, size: Measure): Promise<void> {
    const { id } = call;
    try {
      const result = await this.#performOne(call, size);
      this.send({ type: 'answer', id, result, load: this.#changedLoad() });
    } catch (error) {
      this.#tally.failedCall(error);
      this.send({ type: 'failure', id, error: encodeError(error) });
    }
  }

  /** Performs a call or a send, unless too many of them are underway. */
  async #performOne(
    message: Extract<ClientMessage, { type: 'call' | 'send' }>,
    { bytes, values }: Measure,
  ): Promise<unknown> {
    const { method } = message;
    if (this.#pendingCalls >= this.#limits.pendingCalls) {
      throw limitError(
        'pendingCalls',
        this.#limits,
        `${method}(): ${this.#pendingCalls} calls wait for their answers already: await some of them`,
      );
    }
    if (this.#memory.isOver(bytes))
      throw this.#noMemory(
        `${method}(): the calls that wait for their answers take ${this.#memory.bytes} bytes already: await some of them`,
      );
    if (values > MAX_VALUES) throw new RangeError(`${method}(): the arguments have more than ${MAX_VALUES} values`);
    ++this.#pendingCalls;
    this.#memory.add(bytes);
    try {
      return await this.#perform(message);
    } finally {
      --this.#pendingCalls;
      this.#memory.add(-bytes);
    }
  }

  /**
   * Returns the load for an answer, if it has changed, so that the client learns of the effects of all clients' calls.
   */
  #changedLoad(): number | undefined {
    const load = Math.round(this.#load.current);
    if (load === this.#lastSentLoad) return undefined;
    return (this.#lastSentLoad = load);
  }

  /** Begins the call synchronously, so that calls that arrive together are made in their order. */
  async #perform(message: Extract<ClientMessage, { type: 'call' | 'send' }>): Promise<unknown> {
    const { target, method: name } = message;
    const args = this.#decode(this.#capabilities.complete(message.args)) as Args;
    const exported = typeof target === 'number' && target > 0 ? this.#exported(target) : undefined;
    const method = this.#methods.find(target, exported, name);
    checkArguments(name, method.shapes, args, object => this.#served.exports.byObject(object)?.className);
    this.#targets?.check(name, exported?.className, args);
    if (method.creates || name === 'updateMediaCodecs') this.#refuseTooMany(name);
    if (this.#draining.isOn && method.beginsNew)
      throw new NodeDrainingError(`${name}(): this server is being drained, and takes nothing new: use another one`);
    if (method.creates && message.type === 'call' && message.key !== undefined) markArguments(args, message.key);
    const mafaldaRouterId = typeof target === 'string' ? target : exported?.exporter.mafaldaRouterId;
    const holding = mafaldaRouterId === undefined ? undefined : this.#memberships.get(mafaldaRouterId);
    let result: unknown;
    let succeeded = false;
    const { onCall } = this.#tally;
    const startedAt = onCall ? performance.now() : 0;
    if (name === 'pipeToRouter') guardPair(args[0]);
    const settle = method.creates ? this.#load.admit(name) : undefined;
    try {
      result = await method.call(...this.#addresses.complete(name, args));
      succeeded = true;
      if (name === 'pipeToRouter') guardPiped(result);
    } catch (error) {
      throw this.#addresses.explain(error);
    } finally {
      settle?.(succeeded);
      onCall?.(name, (performance.now() - startedAt) / 1000, succeeded ? 'ok' : 'error');
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
      const known = method.creates ? this.#served.exports.byObject(object) : undefined;
      // A pipe may carry other clients' streams too, so it does not close with the session that has asked for it first.
      if (known && !isPipe(known.node)) {
        known.listenToAll(this);
        holding?.add(known);
      }
      return this.#served.exports.handleOf(object);
    });
  }

  #decode(value: unknown): unknown {
    return decode(value, handle => this.#exported(handle)?.node.object);
  }

  #refuseTooMany(name: string): void {
    const objects = this.#objects + this.#memberships.size;
    const { exports, attached } = this.#served;
    const all = exports.size + attached;
    const { limits } = this.#rules;
    if (this.#use.isFull(limits.objects, objects, all)) {
      throw limitError(
        'objects',
        limits,
        `${name}(): the clients have ${all} objects here, this one ${objects}: close some of them`,
      );
    }
    const bytes = this.#objectBytes;
    const state = `${name}(): the objects of the clients take ${exports.bytes} bytes, those of this one ${bytes}: close some of them`;
    if (this.#use.isFull(limits.objectBytes, bytes, exports.bytes))
      throw limitError('objectBytes', this.#limits, state);
    if (bytes >= this.#budget.share) throw limitError('totalBytes', this.#limits, state);
  }

  #noMemory(state: string): Error {
    return limitError(this.#memory.bytes > this.#budget.share ? 'totalBytes' : 'sessionBytes', this.#limits, state);
  }

  /** Returns an object if it is shown to this client. */
  #exported(handle: number): ExportedObject | undefined {
    const exported = this.#served.exports.byHandle(handle);
    return exported?.exporter.isShownTo(this) ? exported : undefined;
  }
}

/** Marks the `appData` of an object to be created with the idempotency key of the call. */
function markArguments(args: Args, key: string): void {
  args[0] ??= {};
  const options = args[0] as { appData?: unknown };
  options.appData ??= {};
  if (typeof options.appData === 'object' && options.appData !== null) setKey(options.appData, key);
}

/** Returns the handle in an answer that refers to an object. */
function referredTo(result: unknown): number | undefined {
  const handle = typeof result === 'object' && result !== null && '$ref' in result ? result.$ref : undefined;
  return typeof handle === 'number' ? handle : undefined;
}
