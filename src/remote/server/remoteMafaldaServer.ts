/** The server of a Mafalda: it listens, drains, closes, and says what state it is in. Connections and sessions do the rest. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebRtcServerOptions } from 'mediasoup/types';
import type { Registry } from 'prom-client';
import { Addresses } from '../../core/addresses/addresses.ts';
import { NodeUnavailableError } from '../../api/errors.ts';
import { resolveOptions } from '../../api/optionsSchema.ts';
import { logRejections } from '../../core/logRejections.ts';
import type { LoadReport } from '../../api/load.ts';
import type { CallObserver, NodeStatistics, ServerStatistics } from '../../api/statistics.ts';
import type { MafaldaApi } from '../../api/types.ts';
import { DEFAULT_PATH } from '../protocol/messages.ts';
import { MemoryBudget } from '../protocol/memory.ts';
import { ClientConnections } from './clientConnections.ts';
import type { SessionContext } from './clientSession.ts';
import { createHttp } from './createHttp.ts';
import { Draining } from './draining.ts';
import { DirectoryEntry } from './directoryEntry.ts';
import { ServerUse } from './limits.ts';
import { Monitoring } from './monitoring.ts';
import type { Orphans } from './orphanRegistry.ts';
import { ServedMafalda } from './servedMafalda.ts';
import { ServerLoad } from './serverLoad.ts';
import { ServerTally } from './serverTally.ts';
import type { Verdict } from './sessions.ts';
import { Targets } from './targets.ts';
import { SettingsPolicy } from './settingsPolicy.ts';
import {
  resolveServerOptions,
  serverDrainOptions,
  type RemoteMafaldaServerOptions,
  type ResolvedServerOptions,
  type ServerDrainOptions,
} from './serverOptions.ts';

/** States of nodes that take new objects. */
const usable: ReadonlySet<NodeStatistics['state']> = new Set(['connected', 'resting', 'dormant'] as const);

/** Numbers of the clients of a server, and of their MafaldaRouters and objects. */
export interface ServerCounts {
  /** Sessions of clients, including those that are without a connection at present. */
  clients: number;
  /** MafaldaRouters that clients are attached to. */
  mafaldaRouters: number;
  /** Objects in them, and in clients' own Workers: Workers, Routers, Transports… */
  objects: number;
}

/**
 * Shows a Mafalda, whichever implementation it is, to other processes, which use it by a RemoteMafaldaClient.
 *
 * @example
 * const mafalda = new Mafalda(mediasoup);
 * const server = new RemoteMafaldaServer(mafalda, {
 *   port: 4443,
 *   cert: await readFile('cert.pem'),
 *   key: await readFile('key.pem'),
 *   auth: process.env.MAFALDA_TOKEN!,
 * });
 * await server.listen();
 * console.log(`clients can connect to ${server.url}`);
 */
export class RemoteMafaldaServer {
  readonly #options: ResolvedServerOptions;
  readonly #context: SessionContext;
  readonly #serverId = randomUUID();
  readonly #connections: ClientConnections;
  readonly #http: HttpServer;
  readonly #monitoring: Monitoring;
  #entry: DirectoryEntry | undefined;
  #registry: Promise<Registry> | undefined;
  /** Number of calls of close(), by which listen() notices that it was closed meanwhile. */
  #closes = 0;

  /**
   * @param mafalda that clients use; closing it remains the caller's task
   * @throws {TypeError} for options that are unknown, invalid, or exclude each other, and for a missing `auth`
   */
  constructor(mafalda: MafaldaApi, options: RemoteMafaldaServerOptions) {
    logRejections(this, ['close', 'drain']);
    const resolved = resolveServerOptions(mafalda, options);
    const { limits, workerSettings, clientWorkerSettings, plainTargets, server, maxLoad } = resolved;
    this.#options = resolved;
    const settings = new SettingsPolicy(workerSettings, clientWorkerSettings);
    const memory = new MemoryBudget(limits.totalBytes);
    const { webRtcServerOptions } = mafalda as { webRtcServerOptions?: WebRtcServerOptions };
    const addresses = new Addresses(resolved, webRtcServerOptions?.listenInfos);
    this.#context = {
      served: new ServedMafalda(mafalda, this.#serverId, memory, addresses.pipeFamilies, settings, resolved),
      load: new ServerLoad(mafalda, maxLoad),
      addresses,
      targets: plainTargets && new Targets(plainTargets),
      settings,
      use: new ServerUse(),
      limits,
      memory,
      tally: new ServerTally(),
      draining: new Draining(
        () => this.#context.served.exports.isEmpty,
        () => this.#onDraining(),
      ),
    };
    this.#context.served.exports.onRemove = () => this.#context.draining.objectGone();
    this.#connections = new ClientConnections(this.#context, resolved, this.#serverId);
    this.#monitoring = new Monitoring(
      { unreadiness: () => this.#unreadiness, metrics: () => this.#collectMetrics() },
      resolved.metricsToken,
    );
    this.#http = server ?? createHttp(resolved, (...request) => this.handleRequest(...request));
  }

  /**
   * URL for clients on this machine, such as `ws://127.0.0.1:4443`.
   * @throws {Error} while the server does not listen
   */
  get url(): string {
    const address = this.#http.address() as AddressInfo | null;
    if (!address) throw new Error('the server does not listen: await server.listen() first');
    const { host, path } = this.#options;
    const isWildcard = !host || host === '0.0.0.0' || host === '::';
    const secure = 'setSecureContext' in this.#http;
    return `${secure ? 'wss' : 'ws'}://${isWildcard ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${address.port}${path === DEFAULT_PATH ? '' : path}`;
  }

  /** Numbers of clients, MafaldaRouters and objects at present, all zero when no client has anything here. */
  get counts(): ServerCounts {
    const { served } = this.#context;
    return { clients: this.#connections.sessions.size, mafaldaRouters: served.attached, objects: served.exports.size };
  }

  /** Whether the server is being drained, by {@link drain} or by a client's `drain()`. */
  get draining(): boolean {
    return this.#context.draining.isOn;
  }

  /**
   * Takes the server out of use: it creates nothing new, every controller hears of that, and uses other servers.
   * Objects that exist stay until their makers close them; clients that know another server are asked to move there.
   * @returns what is left of clients when nothing is, or when the deadline has passed, or `undrain()` or `close()` was
   * called
   * @throws {TypeError} if `deadline` is not a duration
   */
  async drain(options: ServerDrainOptions = {}): Promise<ServerCounts> {
    const { deadline } = resolveOptions('drain()', serverDrainOptions, options);
    this.#context.draining.begin();
    for (const session of this.#connections.sessions.movable) void session.moveOn();
    await this.#context.draining.untilEmpty(deadline);
    return this.counts;
  }

  /**
   * Looks again at the clients that were let in, since `auth` may decide otherwise by now.
   * @param judge returns what becomes of a client, given its latest token
   * @internal
   */
  review(judge: (token: string | undefined) => Verdict): Promise<void> {
    return this.#connections.sessions.review(judge);
  }

  /** Takes the server into use again. Does nothing if it is not being drained. */
  undrain(): void {
    this.#context.draining.end();
  }

  /** Mafalda that clients use. */
  get mafalda(): MafaldaApi {
    return this.#context.served.mafalda;
  }

  /** Present state, and counts since the start. */
  get statistics(): ServerStatistics {
    const { served, memory, tally } = this.#context;
    const { connected, size } = this.#connections.sessions;
    return {
      ready: this.#unreadiness === undefined,
      draining: this.draining,
      sessions: { connected, absent: size - connected },
      begun: tally.begun,
      resumed: tally.resumed,
      ended: tally.ended.counts,
      snapshots: tally.snapshots,
      eventsLeftOut: tally.eventsLeftOut,
      refusals: tally.refusals.counts,
      objects: served.exports.size,
      keptBytes: memory.bytes,
      directory: this.#options.directory?.statistics,
      orphans: served.orphans.list().reduce((sum, { objects }) => sum + objects.length, 0),
    };
  }

  /** Has each call of clients measured from now on. A later observer takes the place of an earlier one. */
  observeCalls(observer: CallObserver): void {
    this.#context.tally.onCall = observer;
  }

  /**
   * Answers requests for `/healthz`, `/readyz` and `/metrics`. Only needed with the option `server`: a server of its own
   * does it by itself.
   * @returns whether the request was one of these, and so needs no other answer
   */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#monitoring.handle(request, response);
  }

  /**
   * Objects of clients that went away without closing their session, in MafaldaRouters that others are attached to too.
   */
  get orphans(): Orphans[] {
    return this.#context.served.orphans.list();
  }

  /**
   * Resolves when clients can connect. If the Workers are this machine's, it checks first that a Worker can be started.
   * @throws {NodeUnavailableError} if no Worker can be started
   * @throws {Error} if the port is taken or may not be used, or if the server listens already or is closed meanwhile
   */
  async listen(): Promise<void> {
    if (this.#connections.isOpen) throw new Error('the server listens already');
    const closes = this.#closes;
    await this.#ensureWorker();
    if (this.#closes !== closes) throw new Error('the server was closed while it was to listen');
    const { port, host, server, loadInterval } = this.#options;
    // Listening comes first, since it may fail, and then there is nothing to undo.
    if (!server) {
      this.#http.listen(port ?? 0, host);
      await once(this.#http, 'listening');
    }
    this.#connections.open(this.#http);
    this.#context.load.watch(loadInterval, report => this.#onLoad(report));
    this.#register();
  }

  /**
   * Ends all connections, and closes all objects of clients. Clients that know another server are asked to move there,
   * with their objects, and are waited for, for up to 8 s. The Mafalda itself stays open. Idempotent.
   */
  async close(): Promise<void> {
    ++this.#closes;
    await this.#connections.moveAll();
    this.#context.load.close();
    this.#context.draining.stopWaiting();
    // Controllers that read the directory look for another server, rather than come here.
    const unregistered = this.#entry?.close();
    this.#entry = undefined;
    const wasOpen = this.#connections.isOpen;
    const closed = this.#connections.close();
    if (!wasOpen) return;
    await Promise.all([closed, unregistered]);
    if (this.#options.server) return;
    this.#http.closeAllConnections();
    await new Promise(resolve => this.#http.close(resolve));
  }

  #register(): void {
    const { directory, publicUrl, region, labels } = this.#options;
    if (!directory || publicUrl === undefined) return;
    const { mafalda } = this.#context.served;
    const record = {
      url: publicUrl,
      serverId: this.#serverId,
      region,
      labels,
      load: mafalda.load,
      draining: this.draining,
    };
    this.#entry = new DirectoryEntry(mafalda, directory, record);
  }

  async #ensureWorker(): Promise<void> {
    try {
      await this.#context.served.mafalda.ensureWorker?.();
    } catch (error) {
      throw new NodeUnavailableError(`no Worker can be started here: ${(error as Error).message}`, {
        cause: error as Error,
      });
    }
  }

  /** Tells clients and the directory at once, since the next report may be late. */
  #onDraining(): void {
    this.#connections.report(this.#context.load.report(), false);
    this.#entry?.update({ draining: this.draining });
  }

  #onLoad(report: LoadReport): void {
    this.#connections.report(report, true);
    this.#entry?.update({ load: report.load });
  }

  /** Reason why the server takes nothing new; undefined if it is ready. */
  get #unreadiness(): string | undefined {
    if (!this.#connections.isOpen) return 'the server does not listen';
    if (this.draining) return 'the server is being drained';
    const { mafalda } = this.#context.served;
    if (mafalda.closed) return 'what it serves is closed';
    const { nodes = [] } = mafalda.statistics ?? {};
    if (nodes.length > 0 && !nodes.some(({ state }) => usable.has(state))) return 'none of the nodes can be used';
    return this.#connections.unavailability()?.message;
  }

  /** Collects the metrics. The library for it is loaded with the first request. */
  async #collectMetrics(): Promise<{ contentType: string; text: string }> {
    this.#registry ??= import('../../metrics/registerMetrics.ts').then(({ newRegistry }) => newRegistry(this));
    const registry = await this.#registry;
    return { contentType: registry.contentType, text: await registry.metrics() };
  }
}
