/** Node of a MafaldaHorizontal: a Mafalda, with the state that placement needs. */
import { getSupportedRtpCapabilities } from 'mediasoup';
import * as ortc from 'mediasoup/ortc';
import type { RouterRtpCapabilities } from 'mediasoup/types';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { ConnectFailure, ServerSigns } from '../remote/client/index.ts';
import { availableCores } from '../api/resources.ts';
import { Backoff } from '../core/backoff.ts';
import { NodeUnavailableError, RefusedError } from '../api/errors.ts';
import { ObjectTree, type TreeNode } from '../core/objectTree.ts';
import type { Closable } from '../core/onceClosed.ts';
import { isLinkTransport, linkedRouterId } from '../piping/endpoint.ts';
import type { MafaldaApi } from '../api/types.ts';
import { ExpectedLoad } from '../placement/expectedLoad.ts';
import { Rest } from './rest.ts';

/** Events of a node behind a wire: connection and load. A local Mafalda, always connected, has only some of them. */
export type NodeEvents = {
  connected: [];
  disconnected: [reason: string];
  load: [load: number];
  error: [error: Error];
  /** Emitted when the node could not be connected to. */
  connecterror: [failure: ConnectFailure];
  /** Emitted when all objects on the node are about to close here. */
  lost: [];
  close: [];
};

/** Properties that nodes behind a wire have beside the API of all Mafaldas. */
type Described = MafaldaApi & {
  readonly url?: string;
  readonly readyState?: number;
  readonly serverId?: string;
  readonly region?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly maxLoad?: number;
  readonly signs?: ServerSigns;
  readonly trouble?: Error;
  readonly draining?: boolean;
};

/** `readyState` of a RemoteMafaldaClient that can be used. */
const CONNECTED = 4;

/**
 * Time for which a node that has refused something new for its load is avoided, in ms: it has reported anew by then. A
 * node that says that it has room, and refuses again, is avoided for longer each time, up to a limit.
 */
const FULL_MS = 1000;
const MAX_FULL_MS = 10_000;

let nextLocalId = 1;

export type ClusterNodeEvents = {
  /** Emitted when the node may hold less than before, or may get new objects (again). */
  change: [];
  /** Emitted when the draining of the node begins, whoever drains it. */
  draining: [];
};

export class ClusterNode extends EnhancedEventEmitter<ClusterNodeEvents> {
  readonly id: string;
  readonly mafalda: MafaldaApi;
  readonly url: string | undefined;
  /** Other URLs of the same server. */
  readonly aliases = new Set<string>();
  /** Whether this controller has made the Mafalda from a URL, and must close it. */
  readonly owned: boolean;
  /** All objects of this controller's MafaldaRouters on the node. */
  readonly tree = new ObjectTree();
  connected: boolean;
  /** Whether the node is not heard, and may well live: its objects stay open. */
  unreachable = false;
  /** Whether the objects on the node are closed here, whether the node lives or not. */
  lost = false;
  /** Whether the node is lost since it was judged dead. */
  dead = false;
  /** Whether it was expelled: no link leads there any more, used or not. */
  expelled = false;
  /** Latest error since the node was connected for the last time. */
  #lastError: Error | undefined;
  /** Whether the node has answered, or can't be reached at present. */
  settled: boolean;
  /** Objects that keep a drained node from being empty. */
  readonly contents = new Set<TreeNode>();
  /** Number of the node's cores; of this machine's, until the node has reported its own. */
  cores = availableCores();
  /** Rest of the node after failures. */
  readonly rest: Rest;
  /** Id of the server at the latest connection. */
  #server: string | undefined;
  #hasOwnCapabilities: boolean | undefined;
  #placed = 0;
  #fullUntil = -Infinity;
  readonly #fullness = new Backoff(FULL_MS, MAX_FULL_MS);
  readonly #now: () => number;
  #draining = false;
  /** Whether the node's operator drains it, according to the latest report. */
  #isDrainedThere = false;
  readonly #expected: ExpectedLoad;
  readonly #reports: boolean;

  /** @param now returns milliseconds, from any moment on */
  constructor(mafalda: MafaldaApi, owned: boolean, now: () => number) {
    super();
    const { url, readyState } = mafalda as Described;
    this.mafalda = mafalda;
    this.#now = now;
    this.owned = owned;
    this.url = url;
    this.id = url ?? `local-${nextLocalId++}`;
    this.#reports = readyState !== undefined;
    this.connected = readyState === undefined || readyState === CONNECTED;
    this.settled = this.connected;
    this.#server = this.serverId;
    this.#expected = new ExpectedLoad(() => this.cores, now);
    this.rest = new Rest(now);
    this.#readCores();
    this.tree.on('add', node => void (this.#keepsBusy(node) && this.contents.add(node)));
    this.tree.on('remove', node => void (this.contents.delete(node) && this.emit('change')));
  }

  get events(): EnhancedEventEmitter<NodeEvents> {
    return this.mafalda as unknown as EnhancedEventEmitter<NodeEvents>;
  }

  /**
   * Id of the server, which changes with each of its starts; undefined before the first connection, and for nodes of
   * this process.
   */
  get serverId(): string | undefined {
    return (this.mafalda as Described).serverId;
  }

  /** Signs of life of the server; undefined for nodes of this process, and for clients of others. */
  get signs(): ServerSigns | undefined {
    return (this.mafalda as Described).signs;
  }

  /** Reason why the node can't be used, while it is not connected. */
  get trouble(): Error {
    const known = (this.mafalda as Described).trouble ?? this.#lastError;
    return known ?? new NodeUnavailableError(`${this.id} has not answered yet`, { node: this.id });
  }

  /** Reason why the server does not let this client in, if it doesn't. */
  get refusal(): RefusedError | undefined {
    const { trouble } = this;
    return !this.connected && trouble instanceof RefusedError ? trouble : undefined;
  }

  /** Whether the node's mediasoup has the RTP capabilities of this process's, so that those of Routers are the same. */
  get hasOwnCapabilities(): boolean {
    return (this.#hasOwnCapabilities ??=
      textOf(this.mafalda.mediasoup.getSupportedRtpCapabilities()) === textOf(getSupportedRtpCapabilities()));
  }

  get region(): string | undefined {
    return (this.mafalda as Described).region;
  }

  get labels(): Readonly<Record<string, string>> | undefined {
    return (this.mafalda as Described).labels;
  }

  /** Whether the node is a Mafalda of this process, with Workers on this machine. */
  get local(): boolean {
    return this.mafalda.local === true;
  }

  /** Load in percent of the node: its report, plus objects that have been placed there since. */
  get load(): number {
    // A node without reports computes its load whenever it is read.
    if (!this.#reports) this.#expected.measured();
    // Foreign implementations of the Mafalda API may have no load.
    return (this.measuredLoad ?? 0) + this.#expected.load;
  }

  protected get measuredLoad(): number {
    return this.mafalda.load;
  }

  /** Whether calls can be made on the node: nodes that are known by their records are connected to for that. */
  get isUsable(): boolean {
    return this.connected;
  }

  /** Whether the node is one that is not connected to, since it is not used. */
  get isDormant(): boolean {
    return this.isUsable && !this.connected;
  }

  /** Whether the node gets new objects. */
  get takesNew(): boolean {
    return !this.#draining;
  }

  /**
   * Connects to the node, if it is one that is connected to only when it is used.
   * @throws {NodeUnavailableError} if it can't be connected to in time
   */
  async open(): Promise<void> {}

  /** Whether the node would refuse something new for its load, as far as is known. */
  get full(): boolean {
    return this.#now() < this.#fullUntil || (this.#maxLoad !== undefined && this.load >= this.#maxLoad);
  }

  /** Number of objects that were ever placed there. */
  get placed(): number {
    return this.#placed;
  }

  /**
   * Whether the node is being drained, by this controller or by the node's operator, and gets no new objects. Each of
   * the two ends its own draining only.
   */
  get draining(): boolean {
    return this.#draining || this.#isDrainedThere;
  }

  /** Whether this controller drains the node. */
  get isDrainedHere(): boolean {
    return this.#draining;
  }

  /** Begins or ends the draining by this controller. */
  set draining(draining: boolean) {
    const wasDraining = this.draining;
    this.#draining = draining;
    this.#tellOfDraining(wasDraining);
  }

  /** Number of calls that create objects there and have no answer yet. */
  get underway(): number {
    return this.#expected.underway;
  }

  get isEmpty(): boolean {
    return this.contents.size === 0 && this.underway === 0;
  }

  /**
   * Counts an object that is about to be created there. Must be called before the first `await`.
   * @returns to be called with whether it was created, and the object
   */
  reserve(): (created: boolean, object?: Closable) => void {
    ++this.#placed;
    const settle = this.#expected.transport();
    return (created, object) => {
      settle(created, object);
      if (created) this.#fullness.reset();
      this.emit('change');
    };
  }

  /** Counts a Consumer that is about to be created there. */
  expectConsumer(): void {
    this.#expected.consumer();
  }

  /** Notes why the node can't be used, or no longer. */
  markUnavailable(error: Error): void {
    this.#lastError = error;
  }

  /** Notes that the node has refused something new for its load. */
  markFull(): void {
    // Calls of one burst that are refused count once.
    if (this.#now() >= this.#fullUntil) this.#fullUntil = this.#now() + this.#fullness.next();
  }

  /** Notes a connection, the first or a later. */
  markConnected(): void {
    this.connected = true;
    this.#lastError = undefined;
    this.#hasOwnCapabilities = undefined;
    // Failures of an earlier process say nothing of the present process.
    if (this.#server !== this.serverId) this.rest.end();
    this.#server = this.serverId;
  }

  /** Notes a load report of the node. */
  markReported(): void {
    this.#readCores();
    // A server with a limit counts what it has admitted.
    this.#expected.measured(this.#maxLoad !== undefined);
    const wasDraining = this.draining;
    this.#isDrainedThere = (this.mafalda as Described).draining === true;
    if (this.draining !== wasDraining) this.#tellOfDraining(wasDraining);
  }

  #tellOfDraining(wasDraining: boolean): void {
    this.emit('change');
    if (this.draining && !wasDraining) this.emit('draining');
  }

  /** Load beyond which the node takes nothing new, in percent, if it has said so. */
  get #maxLoad(): number | undefined {
    return (this.mafalda as Described).maxLoad;
  }

  #readCores(): void {
    // Foreign implementations of the Mafalda API may have no report.
    const hosts = this.mafalda.loadReport?.hosts ?? [];
    if (hosts.length > 0) this.cores = hosts.reduce((sum, { cores }) => sum + cores, 0);
  }

  /**
   * Returns whether an object keeps the node busy: objects of the application, and pipes from the node, by which other
   * nodes get streams.
   */
  #keepsBusy({ type, object, parent }: TreeNode): boolean {
    if (type === 'transport') return !isLinkTransport(object);
    if (type === 'rtpObserver') return true;
    if ((type !== 'consumer' && type !== 'dataConsumer') || parent?.type !== 'transport') return false;
    const to = linkedRouterId(parent.object);
    return to !== undefined && !this.tree.routers.has(to);
  }
}

/** Returns the capabilities as text, with what mediasoup fills in when it first uses them. */
function textOf(rtpCapabilities: RouterRtpCapabilities): string {
  try {
    ortc.validateAndNormalizeRtpCapabilities(rtpCapabilities);
  } catch {
    // Malformed capabilities are compared as they are, and differ from mediasoup's.
  }
  return JSON.stringify(rtpCapabilities);
}
