/**
 * Watches whether the nodes of this controller are heard. A silent node is judged by evidence: a dead node is given up;
 * a node that may well live keeps its objects open, and is marked as unreachable until it is heard again, or its
 * server's `sessionTimeout` has passed.
 */
import { logger } from '../../core/logger.ts';
import type { ClusterNode } from '../clusterNode.ts';
import type { NodePool } from '../nodePool.ts';
import { doubtAfterMs, judge, type Verdict } from './judge.ts';
import type { Evidence } from './evidence.ts';

const log = logger('liveness');

/**
 * Maximum time that nodes need to come back after the first of them, in ms, when this machine's own network was down.
 */
const RETURN_MS = 3000;
const MIN_STEP_MS = 10;
/** Interval at which evidence is collected while a node stays unreachable, in ms. */
const REPEAT_MS = 1000;

export interface LivenessOptions {
  nodes: NodePool;
  evidence: Pick<Evidence, 'ask' | 'forget' | 'provenFor'>;
  /** Longest allowed silence of a node, in ms. */
  timeout: number;
  /** Returns milliseconds, from any moment on. */
  now: () => number;
  onUnreachable: (node: ClusterNode) => void;
  onReachable: (node: ClusterNode) => void;
}

export class Liveness {
  readonly #options: LivenessOptions;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Infinity;
  /** Time at which this process has last woken: silence counts from then on only. */
  #awakeSince = -Infinity;
  /** Whether all nodes were silent at the latest check. */
  #wasAway = false;
  #returningUntil = -Infinity;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** Watches a node. Must be called when it is connected, for the first time or again. */
  nodeConnected(node: ClusterNode): void {
    this.#heard(node);
    if (this.#timer) return;
    this.#dueAt = Infinity;
    this.#schedule(this.#options.timeout / 4);
  }

  /** Stops watching a node. Must be called when it has no objects to lose any more. */
  unwatch(node: ClusterNode): void {
    node.unreachable = false;
    this.#options.evidence.forget(node);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => {
      const next = this.step();
      if (next === undefined) this.#timer = undefined;
      else this.#schedule(next);
    }, ms).unref();
  }

  /**
   * Judges all nodes.
   * @returns the delay until the next check, in ms; undefined if there is nothing to watch
   */
  step(): number | undefined {
    const { nodes, timeout, now, evidence } = this.#options;
    const watched = [...nodes].filter(({ signs }) => signs?.hasSession);
    if (watched.length === 0) return undefined;
    this.#noteAbsence(watched);
    const silences = watched.map(node => this.#silenceOf(node));
    const [least, second] = leastTwo(silences);
    const isReturning = now() < this.#returningUntil;
    let next = Infinity;
    let isDoubtful = false;
    for (const [index, node] of watched.entries()) {
      const silentFor = silences[index]!;
      const signs = { silentFor, nobodyListens: node.signs!.nobodyListens, provenFor: evidence.provenFor(node) };
      const verdict = judge(signs, { timeout, heardOther: silentFor === least ? second : least, isReturning });
      this.#act(node, verdict);
      isDoubtful ||= verdict !== 'heard';
      next = Math.min(next, nextLook(verdict, silentFor, timeout));
    }
    if (isDoubtful) for (const { signs } of watched) signs?.ask();
    const ms = Math.max(MIN_STEP_MS, next);
    this.#dueAt = now() + ms;
    return ms;
  }

  /**
   * Notes absences of this process or its network: silence during such a time, or of all nodes together, says nothing
   * of any of them.
   */
  #noteAbsence(watched: readonly ClusterNode[]): void {
    const { timeout, now } = this.#options;
    const doubtAfter = doubtAfterMs(timeout);
    if (now() - this.#dueAt > doubtAfter) this.#awakeSince = now();
    const isAway = watched.every(node => this.#silenceOf(node) >= doubtAfter);
    if (this.#wasAway && !isAway) this.#returningUntil = now() + Math.max(timeout, RETURN_MS);
    this.#wasAway = isAway;
  }

  #silenceOf({ signs }: ClusterNode): number {
    return Math.min(signs!.silentFor, this.#options.now() - this.#awakeSince);
  }

  #act(node: ClusterNode, verdict: Verdict): void {
    const { evidence } = this.#options;
    if (verdict === 'heard') return this.#heard(node);
    evidence.ask(node);
    if (verdict === 'doubtful') return;
    // Clients that the application has made have timeouts of their own.
    if (verdict === 'dead' && node.owned) {
      log.warn('%s is given up', node.id);
      node.dead = true;
      return node.signs?.giveUp();
    }
    if (node.unreachable) return;
    log.warn('%s is not heard, and may well live', node.id);
    node.unreachable = true;
    // A new connection may get through where the present connection does not.
    node.signs?.reconnect();
    this.#options.onUnreachable(node);
  }

  #heard(node: ClusterNode): void {
    // A node without a connection has not been heard: it has only just been lost.
    if (!node.connected) return;
    this.#options.evidence.forget(node);
    if (!node.unreachable) return;
    node.unreachable = false;
    log('%s is heard again', node.id);
    this.#options.onReachable(node);
  }
}

function nextLook(verdict: Verdict, silentFor: number, timeout: number): number {
  if (verdict === 'heard') return doubtAfterMs(timeout) - silentFor;
  if (verdict === 'doubtful') return Math.min(timeout / 10, timeout - silentFor);
  return Math.min(REPEAT_MS, timeout / 4);
}

/** Returns the two smallest silences: the smallest of any node's others is among them. */
function leastTwo(silences: readonly number[]): [number, number] {
  let [least, second] = [Infinity, Infinity];
  for (const silence of silences) {
    if (silence < least) [least, second] = [silence, least];
    else if (silence < second) second = silence;
  }
  return [least, second];
}
