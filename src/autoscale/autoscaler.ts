/** The loop that looks at a cluster, decides by `plan()`, and has a provisioner do it. */
import type { MafaldaHorizontal } from '../horizontal/index.ts';
import { logger } from '../core/logger.ts';
import { PublicEmitter } from '../core/publicEmitter.ts';
import {
  resolveAutoscalerOptions,
  type AutoscalerEvents,
  type AutoscalerOptions,
  type ResolvedAutoscalerOptions,
} from './autoscalerOptions.ts';
import { Fleet, type FleetNodes, type FleetServer } from './fleet.ts';
import { HistoryRecorder } from './history.ts';
import { Leadership } from './leadership.ts';
import { nodesOf } from './nodesOf.ts';
import { plan } from './plan.ts';
import { regionFor, resolvePlanOptions, type ResolvedPlanOptions } from './planOptions.ts';
import type { Provisioner } from './provisioner.ts';
import { Provisioning } from './provisioning.ts';
import { ServerActions } from './serverActions.ts';
import type { ServerState, Snapshot } from './snapshot.ts';
import { WaitingJoins } from './waitingJoins.ts';

const log = logger('autoscale');

/** Number of decisions after which the provisioner is asked again what there is. */
const LIST_EVERY = 6;

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
  /** Undefined if somebody else starts and stops servers. */
  readonly #actions: ServerActions | undefined;
  readonly #options: ResolvedAutoscalerOptions;
  readonly #resolved: ResolvedPlanOptions;
  readonly #history: HistoryRecorder;
  readonly #fleet: Fleet;
  readonly #waiting: WaitingJoins;
  readonly #leadership: Leadership;
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
    this.#fleet = new Fleet(this.#options.lease !== undefined);
    this.#history = new HistoryRecorder(this.#resolved.scaleInAfter);
    this.#waiting = new WaitingJoins(this.#options.maxWait);
    // Wall time may jump: what has begun with the process grows evenly.
    this.#now = () => performance.timeOrigin + performance.now();
    this.#leadership = new Leadership(this.#options.lease, this.#now);
    this.#actions = provisioner && this.#actionsOf(provisioner);
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
    return this.#fleet.states(nodesOf(this.#mafalda), this.#now());
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
    await this.#actions?.close();
    await this.#leadership.release();
  }

  #actionsOf(provisioner: Provisioner): ServerActions {
    return new ServerActions({
      mafalda: this.#mafalda,
      provisioning: new Provisioning(provisioner, this.#resolved.startTimeout),
      fleet: this.#fleet,
      history: this.#history,
      leadership: this.#leadership,
      plan: this.#resolved,
      now: this.#now,
      onDone: () => this.#wakeIfStarted(),
      onRoom: () => this.#waiting.lookAgain(),
      onError: error => this.reportError(error),
      onStarted: servers => this.safeEmit('scaleout', servers),
      onStopped: server => this.safeEmit('scalein', server),
      onLost: server => this.safeEmit('serverlost', server),
    });
  }

  /** Has a decision made soon, and another one if one is being made. */
  #wake(): void {
    this.#isRoundDue = true;
    this.#round ??= this.#rounds()
      .catch(error => this.reportError(error as Error))
      .finally(() => (this.#round = undefined));
  }

  #wakeIfStarted(): void {
    if (this.#state === 'started') this.#wake();
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
    if (!this.#actions || (!mustKnow && --this.#listIn > 0)) return;
    this.#listIn = LIST_EVERY;
    const reconciling = this.#actions.reconcile();
    if (mustKnow) this.#isReconciled = (await reconciling) && this.#leadership.leading;
    else void reconciling.then(() => this.#wakeIfStarted());
  }

  #decide(): void {
    const now = this.#now();
    const nodes = nodesOf(this.#mafalda);
    for (const server of this.#fleet.observe(nodes, now).connected) this.#onConnected(server, now);
    for (const server of this.#fleet) stayConnected(server, nodes);
    const snapshot: Snapshot = {
      servers: this.#fleet.states(nodes, now).map(server => (this.#actions ? server : notFixed(server))),
      watermark: this.#mafalda.watermarkNode,
      waiting: this.#waitingByRegion(),
    };
    this.#history.observe(snapshot, [...this.#resolved.byRegion.keys()], now);
    const planned = plan(snapshot, this.#history, this.#options.plan, now);
    if (this.#leadership.leading) {
      this.#setWanted(planned.wanted);
      if (this.#isReconciled) this.#actions?.carryOut(planned);
    }
    this.#waiting.release(region => this.#fleet.isGrowing(this.#regionOf(region)));
  }

  #onConnected(server: FleetServer, now: number): void {
    log('%s is connected', server.id);
    if (server.isOwn) this.#history.booted(this.#regionOf(server.region), now - server.ordered);
  }

  #setWanted(wanted: number): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.safeEmit('wanted', wanted);
  }

  #regionOf(region: string | undefined): string | undefined {
    return regionFor(region, this.#resolved);
  }

  #waitingByRegion(): Snapshot['waiting'] {
    return this.#waiting.counts.map(({ region, count }) => ({ region: this.#regionOf(region), count }));
  }
}

/** Connects to a server that a directory has told of, and that is not used here: whether it is empty only it can tell. */
function stayConnected({ url }: FleetServer, nodes: FleetNodes): void {
  const node = url === undefined ? undefined : nodes.find(url);
  const client = node?.mafalda as { open?: () => unknown } | undefined;
  if (node?.state.dormant && typeof client?.open === 'function') client.open();
}

/** Servers of somebody else's are all that there is where nobody else starts any. */
function notFixed(server: ServerState): ServerState {
  return { ...server, fixed: false };
}
