/** The actions of an autoscaler: servers are started, used, drained and stopped, each of them in its own time. */
import type { DrainReport, MafaldaHorizontal } from '../horizontal/index.ts';
import { ProvisionError } from '../api/errors.ts';
import { logger } from '../core/logger.ts';
import type { ScaledServer } from './autoscalerOptions.ts';
import type { Fleet, FleetServer } from './fleet.ts';
import type { HistoryRecorder } from './history.ts';
import type { Leadership } from './leadership.ts';
import { nodesOf } from './nodesOf.ts';
import { BREAKER_FAILURES, nextStartAt, type Plan, type PlannedStart } from './plan.ts';
import { regionFor, type ResolvedPlanOptions } from './planOptions.ts';
import type { Provisioning } from './provisioning.ts';

const log = logger('autoscale');

/** Time after which a server that is used again says so, in ms. */
const UNDRAIN_SHOWS_MS = 5000;
/** Time after which a stop that has failed is tried again, in ms. */
const STOP_AGAIN_MS = 30_000;

export interface ServerActionsOptions {
  mafalda: MafaldaHorizontal;
  provisioning: Provisioning;
  fleet: Fleet;
  history: HistoryRecorder;
  leadership: Leadership;
  plan: ResolvedPlanOptions;
  now: () => number;
  /** Called when an action is over: another decision may follow. */
  onDone: () => void;
  /** Called when a server can be placed on again that could not before. */
  onRoom: () => void;
  onError: (error: Error) => void;
  onStarted: (servers: ScaledServer[]) => void;
  onStopped: (server: ScaledServer) => void;
  onLost: (server: ScaledServer) => void;
}

export class ServerActions {
  readonly #options: ServerActionsOptions;
  readonly #underway = new Set<Promise<unknown>>();

  constructor(options: ServerActionsOptions) {
    this.#options = options;
  }

  /** Resolves when what is under way is over; starts are given up. */
  async close(): Promise<void> {
    await this.#options.provisioning.close();
    await Promise.all(this.#underway);
  }

  /** Begins what a plan wants, and goes on with what earlier ones wanted. */
  carryOut({ start, drain, undrain, stop }: Plan): void {
    const { fleet, now } = this.#options;
    for (const { id, why } of undrain) this.#undrain(id, why);
    for (const { id, why } of drain) this.#drain(id, why);
    for (const { id, why } of stop) this.#stop(id, why);
    for (const server of fleet) {
      if (server.phase === 'draining' && !this.#isJustUndrained(server)) this.#awaitEmptiness(server);
      const isStopOpen = server.phase === 'stopping' && !server.isBeingStopped;
      if (isStopOpen && now() - server.since > STOP_AGAIN_MS) this.#letGoOn(this.#stopNow(server));
    }
    if (start.length > 0) this.#letGoOn(this.#start(start));
  }

  /**
   * Asks the provisioner what there is, uses what is new, and gives up what is gone.
   * @returns whether it has answered
   */
  reconcile(): Promise<boolean> {
    return this.#track(this.#reconcile());
  }

  async #reconcile(): Promise<boolean> {
    const { provisioning, fleet, now, onError } = this.#options;
    const asked = now();
    try {
      const { found, gone } = fleet.reconcile(await provisioning.list(), asked, now());
      for (const server of found) this.#use(server);
      for (const server of gone) this.#onGone(server);
      return true;
    } catch (error) {
      onError(error as Error);
      return false;
    }
  }

  async #start(starts: readonly PlannedStart[]): Promise<void> {
    const started = await Promise.all(starts.map(start => this.#startServer(start)));
    const servers = started.filter(server => server !== undefined);
    if (servers.length > 0) this.#options.onStarted(servers.map(describe));
  }

  /** @returns undefined if it has failed */
  async #startServer({ region, why }: PlannedStart): Promise<FleetServer | undefined> {
    const { fleet, leadership, provisioning, now, onError } = this.#options;
    log('starts a server%s: %s', region === undefined ? '' : ` in ${region}`, why);
    const order = fleet.order(region, now());
    const { fence } = leadership;
    try {
      const request = { ...(region === undefined ? {} : { region }), ...(fence === undefined ? {} : { fence }) };
      const server = fleet.started(order, await provisioning.start(request), now());
      this.#use(server);
      return server;
    } catch (error) {
      fleet.cancel(order);
      onError(error as Error);
      this.#onFailed(region, order.at);
      return undefined;
    }
  }

  /** Adds a server to the nodes. One that can't be added is without a node, and so taken for lost. */
  #use({ id, url }: FleetServer): void {
    const { mafalda, onError } = this.#options;
    if (url === undefined || mafalda.closed || mafalda.has(url)) return;
    log('%s is used, at %s', id, url);
    try {
      mafalda.add(url);
    } catch (error) {
      onError(error as Error);
    }
  }

  #drain(id: string, why: string): void {
    const server = this.#options.fleet.get(id);
    if (server?.url === undefined) return;
    log('%s is drained: %s', id, why);
    server.isDrainedHere = true;
    this.#awaitEmptiness(server);
    this.#tellOthers(server.url, 'drain');
  }

  /** Drains a server, and notes when nothing is left there. */
  #awaitEmptiness(server: FleetServer): void {
    const { mafalda, plan, onDone } = this.#options;
    const { id, url, isEmptying } = server;
    if (isEmptying || url === undefined) return;
    server.isEmptying = true;
    mafalda
      .drain(url, { deadline: plan.drainDeadline })
      .then(report => {
        server.drained = isEmpty(report);
        onDone();
      })
      .catch(error => log('%s is no longer drained: %o', id, error))
      .finally(() => (server.isEmptying = false));
  }

  /**
   * Has the server drained for all of its controllers, or used again by them, where there are several: one decides for
   * all of them.
   */
  #tellOthers(url: string, change: 'drain' | 'undrain'): void {
    const { mafalda, leadership } = this.#options;
    const node = nodesOf(mafalda).find(url)?.mafalda as Partial<Drainable> | undefined;
    if (!leadership.isShared || typeof node?.undrain !== 'function') return;
    node[change]!().catch(error => log('%s: %s() has failed: %o', url, change, error));
  }

  #undrain(id: string, why: string): void {
    const { fleet, mafalda, now, onRoom } = this.#options;
    const server = fleet.get(id);
    if (server?.url === undefined || this.#isJustUndrained(server)) return;
    log('%s is used again: %s', id, why);
    server.undrainedAt = now();
    mafalda.add(server.url);
    this.#tellOthers(server.url, 'undrain');
    onRoom();
  }

  #stop(id: string, why: string): void {
    const { fleet, mafalda, onError } = this.#options;
    const server = fleet.get(id);
    if (!server) return;
    log('%s is stopped: %s', id, why);
    if (server.phase === 'starting' || !server.hasConnected) {
      onError(new ProvisionError(`the server "${id}" is stopped: ${why}`, { operation: 'start', id }));
      this.#onFailed(server.region, server.ordered);
    }
    server.phase = 'stopping';
    if (server.url !== undefined) mafalda.delete(server.url);
    this.#letGoOn(this.#stopNow(server));
  }

  async #stopNow(server: FleetServer): Promise<void> {
    const { fleet, provisioning, now, onStopped, onError } = this.#options;
    server.since = now();
    server.isBeingStopped = true;
    try {
      await provisioning.stop(server.id);
      if (fleet.stopped(server.id, now())) onStopped(describe(server));
    } catch (error) {
      onError(error as Error);
    } finally {
      server.isBeingStopped = false;
    }
  }

  #onGone(server: FleetServer): void {
    const { mafalda, onStopped, onLost } = this.#options;
    log('%s is gone', server.id);
    if (server.url !== undefined) mafalda.delete(server.url);
    if (server.phase === 'stopping') onStopped(describe(server));
    else {
      if (!server.hasConnected) this.#onFailed(server.region, server.ordered);
      onLost(describe(server));
    }
  }

  #onFailed(region: string | undefined, ordered: number): void {
    const { history, plan, now, onError } = this.#options;
    const key = regionFor(region, plan);
    const inRow = history.failed(key, ordered, now());
    if (inRow !== BREAKER_FAILURES) return;
    const seconds = Math.round((nextStartAt(history.failures.get(key)) - now()) / 1000);
    const where = key === undefined ? '' : ` in ${key}`;
    onError(
      new ProvisionError(
        `${inRow} starts in a row have failed${where}: from now on one server at a time is tried, next in ${seconds} s`,
        { operation: 'start' },
      ),
    );
  }

  /** Returns whether a server may still say that it is drained, which it was until a moment ago. */
  #isJustUndrained({ undrainedAt }: FleetServer): boolean {
    return this.#options.now() - undrainedAt < UNDRAIN_SHOWS_MS;
  }

  /** Lets an action go on while others are decided on. */
  #letGoOn(action: Promise<void>): void {
    void this.#track(action).then(this.#options.onDone);
  }

  #track<T>(action: Promise<T>): Promise<T> {
    this.#underway.add(action);
    return action.finally(() => this.#underway.delete(action));
  }
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
