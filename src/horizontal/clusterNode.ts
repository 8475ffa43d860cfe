/** One of the Mafaldas that a MafaldaHorizontal is made of, with what placement has to know about it. */
import { availableParallelism } from 'node:os';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { ConnectFailure, ServerSigns } from '../remote/client/index.ts';
import { NodeUnavailableError, RefusedError } from '../api/errors.ts';
import { ObjectTree, type TreeNode } from '../core/objectTree.ts';
import { isLinkTransport, linkedRouterId } from '../piping/endpoint.ts';
import type { MafaldaApi } from '../api/types.ts';
import { ExpectedLoad } from '../placement/expectedLoad.ts';
import { Rest } from './rest.ts';

/** A node at the end of a wire tells when it is there, and how loaded it is. A local Mafalda is always there. */
export type NodeEvents = {
  connected: [];
  disconnected: [reason: string];
  load: [load: number];
  error: [error: Error];
  /** It could not be connected to. */
  connecterror: [failure: ConnectFailure];
  /** Everything that it has is about to close here. */
  lost: [];
  close: [];
};

/** What the nodes at the end of a wire tell of themselves, beside the API that all Mafaldas have. */
type Described = MafaldaApi & {
  readonly url?: string;
  readonly readyState?: number;
  readonly serverId?: string;
  readonly region?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly signs?: ServerSigns;
  readonly trouble?: Error;
};

/** The readyState of a RemoteMafaldaClient that can be used. */
const CONNECTED = 4;

let nextLocalId = 1;

/** Emits `change` when there may be less on it than before, or something new may be placed on it (again). */
export class ClusterNode extends EnhancedEventEmitter<{ change: [] }> {
  readonly id: string;
  readonly mafalda: MafaldaApi;
  readonly url: string | undefined;
  /** Other URLs of the same server. */
  readonly aliases = new Set<string>();
  /** Made by us from a URL, and ours to close. */
  readonly owned: boolean;
  /** All that our MafaldaRouters have there. */
  readonly tree = new ObjectTree();
  connected: boolean;
  /** It is not heard, and may well live: what is there stays open. */
  unreachable = false;
  /** What we had there is closed, whether it lives or not. */
  lost = false;
  /** What it has told of since it was connected for the last time. */
  #told: Error | undefined;
  /** It has answered, or it can't be reached at present. */
  settled: boolean;
  /** What keeps a node that is being drained from being empty. */
  readonly contents = new Set<TreeNode>();
  /** Those of this machine, until it has reported others. */
  cores = availableParallelism();
  /** Whether it can do what it is asked. */
  readonly rest: Rest;
  /** The server that was there when it was connected last. */
  #server: string | undefined;
  #placed = 0;
  #draining = false;
  readonly #expected: ExpectedLoad;
  readonly #reports: boolean;

  /** @param now milliseconds, from any moment on */
  constructor(mafalda: MafaldaApi, owned: boolean, now: () => number) {
    super();
    const { url, readyState } = mafalda as Described;
    this.mafalda = mafalda;
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

  /** Another one after each start of its server; undefined before the first connection, and for nodes of this process. */
  get serverId(): string | undefined {
    return (this.mafalda as Described).serverId;
  }

  /** Undefined for nodes of this process, and for those that are not ours to watch. */
  get signs(): ServerSigns | undefined {
    return (this.mafalda as Described).signs;
  }

  /** Why it can't be used at present, while it is not connected. */
  get trouble(): Error {
    const known = (this.mafalda as Described).trouble ?? this.#told;
    return known ?? new NodeUnavailableError(`${this.id} has not answered yet`, { node: this.id });
  }

  /** Why it does not let us in. */
  get refusal(): RefusedError | undefined {
    const { trouble } = this;
    return !this.connected && trouble instanceof RefusedError ? trouble : undefined;
  }

  get region(): string | undefined {
    return (this.mafalda as Described).region;
  }

  get labels(): Readonly<Record<string, string>> | undefined {
    return (this.mafalda as Described).labels;
  }

  /** Percent of the node: what it has reported, plus what has been placed there since. */
  get load(): number {
    // One that does not report tells its present load whenever it is asked.
    if (!this.#reports) this.#expected.measured();
    // An object with the Mafalda API that is none of ours may not tell its load.
    return (this.mafalda.load ?? 0) + this.#expected.load;
  }

  /** How much was ever placed there. */
  get placed(): number {
    return this.#placed;
  }

  /** Nothing new is placed there. */
  get draining(): boolean {
    return this.#draining;
  }

  set draining(draining: boolean) {
    this.#draining = draining;
    this.emit('change');
  }

  /** How many calls that create something there have no answer yet. */
  get underway(): number {
    return this.#expected.underway;
  }

  get isEmpty(): boolean {
    return this.contents.size === 0 && this.underway === 0;
  }

  /** To be called when something is about to be created there, before anything is awaited. @returns to be called when it is there, or failed */
  reserve(): (created: boolean) => void {
    ++this.#placed;
    const settle = this.#expected.transport();
    return created => {
      settle(created);
      this.emit('change');
    };
  }

  /** To be called when something that is there is about to consume a stream. */
  expectConsumer(): void {
    this.#expected.consumer();
  }

  /** To be called when it can't be used, or can't any more. */
  went(error: Error): void {
    this.#told = error;
  }

  /** To be called when it is connected, for the first time or again. */
  came(): void {
    this.connected = true;
    this.#told = undefined;
    // What another process could not do says nothing of this one.
    if (this.#server !== this.serverId) this.rest.end();
    this.#server = this.serverId;
  }

  /** A report has come. */
  reported(): void {
    this.#readCores();
    this.#expected.measured();
  }

  #readCores(): void {
    // An object with the Mafalda API that is none of ours may not tell.
    const hosts = this.mafalda.loadReport?.hosts ?? [];
    if (hosts.length > 0) this.cores = hosts.reduce((sum, { cores }) => sum + cores, 0);
  }

  /** What the application has there, and the pipes from there, since others live on what comes through them. */
  #keepsBusy({ type, object, parent }: TreeNode): boolean {
    if (type === 'transport') return !isLinkTransport(object);
    if (type === 'rtpObserver') return true;
    if ((type !== 'consumer' && type !== 'dataConsumer') || parent?.type !== 'transport') return false;
    const to = linkedRouterId(parent.object);
    return to !== undefined && !this.tree.routers.has(to);
  }
}
