/** Session of one client, across its connections: its MafaldaRouters, its own Workers, and its calls. */
import { randomUUID } from 'node:crypto';
import type { Socket as ServerSocket } from 'socket.io';
import type { Addresses } from '../../core/addresses/addresses.ts';
import { logger } from '../../core/logger.ts';
import { turns } from '../../core/turns.ts';
import { encodeError } from '../protocol/errors.ts';
import { inFull, ToldLists, type ListMessage } from '../protocol/lists.ts';
import type { Measure } from '../protocol/measure.ts';
import type { MemoryAccount, MemoryBudget } from '../protocol/memory.ts';
import type { ClientMessage, Credentials, ServerMessage } from '../protocol/messages.ts';
import { Session, type Recovery } from '../protocol/session.ts';
import type { ClientEvents, Received, Sent, ServerEvents, SessionEvents } from '../protocol/socketEvents.ts';
import { isClientMessage } from '../protocol/validate.ts';
import { write } from '../protocol/wireText.ts';
import { AwaitedStreams } from './awaitedStreams.ts';
import { ClientCalls } from './clientCalls.ts';
import type { Draining } from './draining.ts';
import type { Member } from './exportedObject.ts';
import type { Owner } from './holding.ts';
import { Memberships } from './memberships.ts';
import { Methods } from './methods.ts';
import type { WorkerRules } from './ownWorkers.ts';
import { Quota } from './quota.ts';
import type { ServedMafalda } from './servedMafalda.ts';
import { SlowClient } from './slowClient.ts';
import type { ServerLoad } from './serverLoad.ts';
import type { Targets } from './targets.ts';
import type { ServerTally } from './serverTally.ts';
import type { TreeExport } from './treeExport.ts';
import { TreeSender } from './treeSender.ts';

const log = logger('server');

/** Messages that a snapshot makes up for. */
const inSnapshot: ReadonlySet<ServerMessage['type']> = new Set([
  ...(['list', 'add', 'event', 'change'] as const),
  ...(['heldRooms', 'held', 'released'] as const),
]);

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
  readonly #memory: MemoryAccount;
  readonly #quota: Quota;
  readonly #tally: ServerTally;
  readonly #session: Session<ServerMessage, ClientMessage>;
  readonly #slow: SlowClient;
  readonly #memberships: Memberships;
  readonly #treeSender = new TreeSender({ member: this, hasRoom: () => this.#session.hasRoom, turns });
  readonly #canMove: boolean;
  /** Lists that the client was told; undefined if it does not understand references to them. */
  readonly #told: ToldLists | undefined;
  #markEnded!: () => void;
  readonly #ended = new Promise<void>(resolve => (this.#markEnded = resolve));
  readonly #methods: Methods;
  readonly #calls: ClientCalls;
  readonly #awaited = new AwaitedStreams();
  #socket: ClientSocket | undefined;
  #lastSentLoad = 0;
  #isOver = false;
  #absence: NodeJS.Timeout | undefined;

  /** @param onFailure called when the client has broken the protocol, or is too slow */
  constructor(
    { served, load, addresses, targets, memory, tally, draining, ...rules }: SessionContext,
    { name, instance, canMove = false, lists = false }: Credentials,
    onFailure: (error: Error) => void,
  ) {
    this.#owner = { session: this.id, name, instance };
    this.#canMove = canMove;
    if (lists) this.#told = new ToldLists();
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
    this.#tally = tally;
    this.#memory = memory.open(rules.limits.sessionBytes);
    this.#quota = new Quota({ ...rules, served, memory: this.#memory, budget: memory });
    this.#calls = new ClientCalls({
      member: this,
      served,
      memberships: this.#memberships,
      methods: this.#methods,
      quota: this.#quota,
      load,
      addresses,
      targets,
      draining,
      tally,
    });
    this.#session = new Session<ServerMessage, ClientMessage>(isClientMessage, {
      recovery: this.#recovery(),
      memory: this.#memory,
    });
    this.#slow = new SlowClient(this.#session, this.#memory, tally);
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
    this.#memberships.noteAbsence();
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

  send(message: ServerMessage, size?: Measure, lists: readonly ListMessage[] = [], canWait = false): void {
    if (message.type === 'closeMafaldaRouter') {
      this.#memberships.forget(message.mafaldaRouter);
      // A client that has called close() gets an answer instead, and may have created another MafaldaRouter of this id.
      if (this.#methods.closing.delete(message.mafaldaRouter)) return;
    }
    if (message.type === 'event' && this.#slow.leavesOut(message.name)) return;
    if (!this.#told && lists.length > 0 && message.type === 'add')
      return void this.#session.send(inFull(message, lists), undefined, undefined, canWait);
    for (const list of lists) if (this.#told?.note(list)) this.#session.send(list, undefined, write(list), canWait);
    this.#session.send(message, undefined, size, canWait);
  }

  count(objects: number, bytes: number): void {
    this.#quota.count(objects, bytes);
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
      this.#served.shownTo(this, message.target)?.method('close')?.();
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
        // Lists may be among the messages that were dropped.
        this.#told?.clear();
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
        const exported = this.#served.shownTo(this, handle);
        return listening ? exported?.listen(name, this) : exported?.unlisten(name, this);
      }
      case 'followRooms':
        return this.#served.roomTeller.add(this, this.#treeSender);
      case 'capabilities':
        return this.#memory.add(this.#calls.remember(message));
      case 'send':
        this.#calls.perform(message, size).catch(error => log.warn('%s: %o', message.method, error));
        return;
      case 'call':
        return void this.#answer(message, size);
      default:
        return message satisfies never;
    }
  }

  async #answer(call: Extract<ClientMessage, { type: 'call' }>, size: Measure): Promise<void> {
    const { id } = call;
    const settle = this.#awaited.begin(call);
    try {
      const result = await this.#calls.perform(call, size);
      const message: ServerMessage = { type: 'answer', id, result, load: this.#changedLoad() };
      this.send(message, isShort(result) ? write(message) : undefined, [], this.#awaited.isFollowed(call));
    } catch (error) {
      this.#tally.failedCall(error);
      this.send({ type: 'failure', id, error: encodeError(error) });
    } finally {
      settle();
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
}

/** Whether the result is no more than a value or the handle of an object, so that there are no Buffers in it. */
function isShort(result: unknown): boolean {
  return typeof result !== 'object' || result === null || referredTo(result) !== undefined;
}

/** Returns the handle in an answer that refers to an object. */
function referredTo(result: unknown): number | undefined {
  const handle = typeof result === 'object' && result !== null && '$ref' in result ? result.$ref : undefined;
  return typeof handle === 'number' ? handle : undefined;
}
