/** The loop that looks at a cluster, decides by `plan()`, and has a provisioner do it. */
import type { DrainReport, MafaldaHorizontal } from '../horizontal/index.ts';
import { ProvisionError } from '../api/errors.ts';
import { logger } from '../core/logger.ts';
import { PublicEmitter } from '../core/publicEmitter.ts';
import {
  resolveAutoscalerOptions,
  type AutoscalerEvents,
  type AutoscalerOptions,
  type ResolvedAutoscalerOptions,
  type ScaledServer,
} from './autoscalerOptions.ts';
import { Fleet, type FleetNodes, type FleetServer } from './fleet.ts';
import { HistoryRecorder } from './history.ts';
import { Leadership } from './leadership.ts';
import { BREAKER_FAILURES, nextStartAt, plan, type PlannedStart } from './plan.ts';
import { resolvePlanOptions, type ResolvedPlanOptions } from './planOptions.ts';
import type { Provisioner } from './provisioner.ts';
import { Provisioning } from './provisioning.ts';
import type { ServerState, Snapshot } from './snapshot.ts';
import { WaitingJoins } from './waitingJoins.ts';

const log = logger('autoscale');

/** Number of decisions after which the provisioner is asked again what there is. */
const LIST_EVERY = 6;
/** Time after which a server that is used again says so, in ms. */
const UNDRAIN_SHOWS_MS = 5000;
/** Time after which a stop that has failed is tried again, in ms. */
const STOP_AGAIN_MS = 30_000;

/**
 * Starts servers when there is no room, and stops them when there is, over a MafaldaHorizontal and a provisioner.
 *
 * ```ts
 * import { Autoscaler, CommandProvisioner } from 'mafalda-horizontal/autoscale';
 *
 * const provisioner = new CommandProvisioner({ start: ['./start.sh'], stop: ['./stop.sh'], list: ['./list.sh'] });
 * const autoscaler = new Autoscaler(mafaldaHorizontal, provisioner, { min: 1, max: 20 });
 * autoscaler.on('error', error => console.error(error.message));
 * autoscaler.start();
 * ```
 */
export class Autoscaler extends PublicEmitter<AutoscalerEvents> {
  readonly #mafalda: MafaldaHorizontal;
  readonly #provisioning: Provisioning | undefined;
  readonly #options: ResolvedAutoscalerOptions;
  readonly #resolved: ResolvedPlanOptions;
  readonly #history: HistoryRecorder;
  readonly #fleet: Fleet;
  readonly #waiting: WaitingJoins;
  readonly #leadership: Leadership;
  /** Actions of decisions that are under way. */
  readonly #actions = new Set<Promise<void>>();
  readonly #now: () => number;
  readonly #removers: (() => void)[] = [];
  #state: 'new' | 'started' | 'stopped' = 'new';
  #round: Promise<void> | undefined;
  #isRoundDue = false;
  /** Number of rounds until the provisioner is asked what there is. */
  #listIn = 0;
  /** Whether the provisioner has said what there is, since this one leads. */
  #isReconciled = false;
  #wanted = 0;

  /**
   * @param provisioner starts and stops servers; `undefined` if somebody else does, by {@link wanted}
   * @throws {TypeError} for an option that is unknown or out of its range
   */
  constructor(mafalda: MafaldaHorizontal, provisioner: Provisioner | undefined, options: AutoscalerOptions) {
    super();
    this.#mafalda = mafalda;
    this.#options = resolveAutoscalerOptions(options);
    this.#resolved = resolvePlanOptions(this.#options.plan);
    this.#provisioning = provisioner && new Provisioning(provisioner, this.#resolved.startTimeout);
    this.#fleet = new Fleet(this.#options.lease !== undefined);
    this.#history = new HistoryRecorder(this.#resolved.scaleInAfter);
    this.#waiting = new WaitingJoins(this.#options.maxWait);
    // Wall time may jump: what has begun with the process grows evenly.
    this.#now = () => performance.timeOrigin + performance.now();
    this.#leadership = new Leadership(this.#options.lease, this.#now);
  }

  /** Number of servers that there should be; 0 before the first decision. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Whether this autoscaler decides, rather than another one that has the lease. */
  get leading(): boolean {
    return this.#state === 'started' && this.#leadership.leading;
  }

  /** Number of calls that have found no server with room, and wait for one. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** All servers, with those that are on their way, and those that the provisioner has not started. */
  get servers(): readonly ServerState[] {
    return this.#fleet.states(this.#nodes(), this.#now());
  }

  /**
   * Begins to decide. Servers that the provisioner lists are used from then on. Idempotent.
   * @throws {Error} if it was stopped, or another autoscaler decides for the same MafaldaHorizontal
   */
  start(): this {
    if (this.#state === 'stopped') throw new Error('this Autoscaler was stopped: make another one');
    if (this.#state === 'started') return this;
    if (this.#mafalda.whenFull) throw new Error('this MafaldaHorizontal has an Autoscaler already');
    this.#state = 'started';
    const timer = setInterval(() => this.#wake(), this.#options.interval);
    const { renewalMs } = this.#leadership;
    const renewal = renewalMs === undefined ? undefined : setInterval(() => this.#wake(), renewalMs);
    const wake = (): void => this.#wake();
    const onConnected = (): void => {
      this.#waiting.lookAgain();
      this.#wake();
    };
    this.#mafalda.on('nodeconnected', onConnected);
    this.#mafalda.on('nodedisconnected', wake);
    const onClose = (): void => void this.stop();
    this.#mafalda.on('close', onClose);
    this.#mafalda.whenFull = call => {
      const waits = this.#waiting.wait(call);
      this.#wake();
      return waits;
    };
    this.#removers.push(() => {
      clearInterval(timer);
      clearInterval(renewal);
      this.#mafalda.off('nodeconnected', onConnected);
      this.#mafalda.off('nodedisconnected', wake);
      this.#mafalda.off('close', onClose);
      this.#mafalda.whenFull = undefined;
    });
    this.#wake();
    return this;
  }

  /**
   * Ends deciding, and gives the lease back, as the end of the MafaldaHorizontal does. Servers go on, those that are
   * being drained get nothing new, and calls that wait take what there is. Resolves when what was under way is over.
   * Idempotent.
   */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    for (const remove of this.#removers.splice(0)) remove();
    this.#waiting.release(() => false);
    await this.#round;
    await this.#provisioning?.close();
    await Promise.all(this.#actions);
    await this.#leadership.release();
  }

  /** Has a decision made soon, and another one if one is being made. */
  #wake(): void {
    this.#isRoundDue = true;
    this.#round ??= this.#rounds()
      .catch(error => this.reportError(error as Error))
      .finally(() => (this.#round = undefined));
  }

  async #rounds(): Promise<void> {
    // Calls of one burst share a decision.
    await Promise.resolve();
    while (this.#isRoundDue && this.#state === 'started') {
      this.#isRoundDue = false;
      await this.#leadership.refresh();
      if (!this.#leadership.leading) this.#isReconciled = false;
      await this.#listIfDue();
      if (this.#state === 'started') this.#decide();
    }
  }

  async #listIfDue(): Promise<void> {
    // Nothing is decided before it is known what there is. Later the answer is not waited for.
    const mustKnow = this.#leadership.leading && !this.#isReconciled;
    if (!this.#provisioning || (!mustKnow && --this.#listIn > 0)) return;
    this.#listIn = LIST_EVERY;
    const listing = this.#list(this.#provisioning);
    if (mustKnow) await listing;
    else this.#do(listing);
  }

  async #list(provisioning: Provisioning): Promise<void> {
    const asked = this.#now();
    try {
      const listed = await provisioning.list();
      const { found, gone } = this.#fleet.reconcile(listed, asked, this.#now());
      for (const server of found) this.#use(server);
      for (const server of gone) this.#onGone(server);
      this.#isReconciled ||= this.#leadership.leading;
    } catch (error) {
      this.reportError(error as Error);
    }
  }

  #decide(): void {
    const now = this.#now();
    const nodes = this.#nodes();
    for (const server of this.#fleet.observe(nodes, now).connected) this.#onConnected(server, now);
    for (const server of this.#fleet) stayConnected(server, nodes);
    const snapshot: Snapshot = {
      servers: this.#fleet.states(nodes, now).map(server => (this.#provisioning ? server : notFixed(server))),
      watermark: this.#mafalda.watermarkNode,
      waiting: this.#waitingByRegion(),
    };
    this.#history.observe(snapshot, [...this.#resolved.byRegion.keys()], now);
    const { start, drain, undrain, stop, wanted } = plan(snapshot, this.#history, this.#options.plan, now);
    if (this.#leadership.leading) {
      this.#setWanted(wanted);
      if (this.#provisioning && this.#isReconciled) {
        for (const { id, why } of undrain) this.#undrain(id, why);
        for (const { id, why } of drain) this.#drain(id, why);
        for (const { id, why } of stop) this.#stopServer(id, why);
        for (const server of this.#fleet) {
          if (server.phase === 'draining' && !isJustUndrained(server, now)) this.#awaitEmptiness(server);
          this.#stopAgainIfDue(server, now);
        }
        if (start.length > 0) this.#do(this.#start(start));
      }
    }
    this.#waiting.release(region => this.#fleet.isGrowing(this.#regionOf(region)));
  }

  async #start(starts: readonly PlannedStart[]): Promise<void> {
    const started = await Promise.all(starts.map(start => this.#startServer(start)));
    const servers = started.filter(server => server !== undefined);
    if (servers.length > 0) this.safeEmit('scaleout', servers.map(describe));
  }

  /** @returns undefined if it has failed */
  async #startServer({ region, why }: PlannedStart): Promise<FleetServer | undefined> {
    log('starts a server%s: %s', region === undefined ? '' : ` in ${region}`, why);
    const order = this.#fleet.order(region, this.#now());
    const { fence } = this.#leadership;
    try {
      const request = { ...(region === undefined ? {} : { region }), ...(fence === undefined ? {} : { fence }) };
      const server = this.#fleet.started(order, await this.#provisioning!.start(request), this.#now());
      this.#use(server);
      return server;
    } catch (error) {
      this.#fleet.cancel(order);
      this.reportError(error as Error);
      this.#onFailed(region, order.at);
      return undefined;
    }
  }

  /** Adds a server to the nodes. One that can't be added is without a node, and so taken for lost. */
  #use({ id, url }: FleetServer): void {
    if (url === undefined || this.#mafalda.closed || this.#mafalda.has(url)) return;
    log('%s is used, at %s', id, url);
    try {
      this.#mafalda.add(url);
    } catch (error) {
      this.reportError(error as Error);
    }
  }

  #drain(id: string, why: string): void {
    const server = this.#fleet.get(id);
    if (server?.url === undefined) return;
    log('%s is drained: %s', id, why);
    server.isDrainedHere = true;
    this.#awaitEmptiness(server);
    this.#tellOthers(server.url, 'drain');
  }

  /** Drains a server, and notes when nothing is left there. */
  #awaitEmptiness(server: FleetServer): void {
    const { id, url, isEmptying } = server;
    if (isEmptying || url === undefined) return;
    server.isEmptying = true;
    this.#mafalda
      .drain(url, { deadline: this.#resolved.drainDeadline })
      .then(report => {
        server.drained = isEmpty(report);
        this.#wake();
      })
      .catch(error => log('%s is no longer drained: %o', id, error))
      .finally(() => (server.isEmptying = false));
  }

  /**
   * Has the server drained for all of its controllers, or used again by them, where there are several: one decides for all
   * of them.
   */
  #tellOthers(url: string, change: 'drain' | 'undrain'): void {
    const node = this.#nodes().find(url)?.mafalda as Partial<Drainable> | undefined;
    if (!this.#options.lease || typeof node?.undrain !== 'function') return;
    node[change]!().catch(error => log('%s: %s() has failed: %o', url, change, error));
  }

  #undrain(id: string, why: string): void {
    const server = this.#fleet.get(id);
    const now = this.#now();
    if (server?.url === undefined || isJustUndrained(server, now)) return;
    log('%s is used again: %s', id, why);
    server.undrainedAt = now;
    this.#mafalda.add(server.url);
    this.#tellOthers(server.url, 'undrain');
    this.#waiting.lookAgain();
  }

  #stopServer(id: string, why: string): void {
    const server = this.#fleet.get(id);
    if (!server) return;
    log('%s is stopped: %s', id, why);
    if (server.phase === 'starting' || !server.hasConnected) {
      this.reportError(new ProvisionError(`the server "${id}" is stopped: ${why}`, { operation: 'start', id }));
      this.#onFailed(server.region, server.ordered);
    }
    server.phase = 'stopping';
    if (server.url !== undefined) this.#mafalda.delete(server.url);
    this.#do(this.#stopNow(server));
  }

  async #stopNow(server: FleetServer): Promise<void> {
    server.since = this.#now();
    server.isBeingStopped = true;
    try {
      await this.#provisioning!.stop(server.id);
      if (this.#fleet.stopped(server.id, this.#now())) this.safeEmit('scalein', describe(server));
    } catch (error) {
      this.reportError(error as Error);
    } finally {
      server.isBeingStopped = false;
    }
  }

  #stopAgainIfDue(server: FleetServer, now: number): void {
    const { phase, isBeingStopped, since } = server;
    if (phase === 'stopping' && !isBeingStopped && now - since > STOP_AGAIN_MS) this.#do(this.#stopNow(server));
  }

  #onConnected(server: FleetServer, now: number): void {
    log('%s is connected', server.id);
    if (server.isOwn) this.#history.booted(this.#regionOf(server.region), now - server.ordered);
  }

  #onGone(server: FleetServer): void {
    log('%s is gone', server.id);
    if (server.url !== undefined) this.#mafalda.delete(server.url);
    if (server.phase === 'stopping') this.safeEmit('scalein', describe(server));
    else {
      if (!server.hasConnected) this.#onFailed(server.region, server.ordered);
      this.safeEmit('serverlost', describe(server));
    }
  }

  #onFailed(region: string | undefined, ordered: number): void {
    const key = this.#regionOf(region);
    const inRow = this.#history.failed(key, ordered, this.#now());
    if (inRow !== BREAKER_FAILURES) return;
    const seconds = Math.round((nextStartAt(this.#history.failures.get(key)) - this.#now()) / 1000);
    const where = key === undefined ? '' : ` in ${key}`;
    this.reportError(
      new ProvisionError(
        `${inRow} starts in a row have failed${where}: from now on one server at a time is tried, next in ${seconds} s`,
        { operation: 'start' },
      ),
    );
  }

  #setWanted(wanted: number): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.safeEmit('wanted', wanted);
  }

  /** Region that decisions are made for: the first one of the options for a wish that none of them fulfils. */
  #regionOf(region: string | undefined): string | undefined {
    const { byRegion } = this.#resolved;
    return byRegion.has(region) ? region : [...byRegion.keys()][0];
  }

  #waitingByRegion(): Snapshot['waiting'] {
    return this.#waiting.counts.map(({ region, count }) => ({ region: this.#regionOf(region), count }));
  }

  #nodes(): FleetNodes {
    const all = [...this.#mafalda].flatMap(mafalda => {
      const state = this.#mafalda.stateOf(mafalda);
      return state ? [{ state, mafalda }] : [];
    });
    const byId = new Map(all.map(node => [node.state.id, node]));
    return { all, find: url => byId.get(this.#mafalda.stateOf(url)?.id ?? '') };
  }

  /** Lets an action go on while others are decided on. */
  #do(action: Promise<void>): void {
    const done = action.finally(() => {
      this.#actions.delete(done);
      if (this.#state === 'started') this.#wake();
    });
    this.#actions.add(done);
  }
}

/** Returns whether a server may still say that it is drained, which it was until a moment ago. */
function isJustUndrained({ undrainedAt }: FleetServer, now: number): boolean {
  return now - undrainedAt < UNDRAIN_SHOWS_MS;
}

/** Connects to a server that a directory has told of, and that is not used here: whether it is empty only it can tell. */
function stayConnected({ url }: FleetServer, nodes: FleetNodes): void {
  const node = url === undefined ? undefined : nodes.find(url);
  const client = node?.mafalda as { open?: () => unknown } | undefined;
  if (node?.state.dormant && typeof client?.open === 'function') client.open();
}

/** Node that can be drained for all of its controllers: a client of a server. */
interface Drainable {
  drain(): Promise<void>;
  undrain(): Promise<void>;
}

function isEmpty({ transports, rtpObservers, pipes, underway }: DrainReport): boolean {
  return transports.length + rtpObservers.length + pipes.length + underway === 0;
}

function describe({ id, url, region }: FleetServer): ScaledServer {
  return { id, url, region };
}

/** Servers of somebody else's are all that there is where nobody else starts any. */
function notFixed(server: ServerState): ServerState {
  return { ...server, fixed: false };
}
