/** Attempts on nodes in turn, until a node succeeds. The results show which nodes are well. */
import { Decisions } from '../core/decisions.ts';
import { logger } from '../core/logger.ts';
import type { ClusterNode } from './clusterNode.ts';
import { failureOf, isCallersFault, isDraining, isFull, toError } from './faults.ts';

const log = logger('horizontal');

/** Maximum number of nodes that are tried, and time after which no further node is, in ms. */
const MAX_ATTEMPTS = 8;
const MAX_ATTEMPTS_MS = 30_000;

/** Errors of nodes that were tried, and are not asked again. */
export type Tried = ReadonlyMap<ClusterNode, Error>;

type Ask<T> = (node: ClusterNode) => Promise<T>;

/** Purpose of attempts. */
interface Attempted {
  /** Room for which a node is asked; missing if it is for none. */
  readonly room: string | undefined;
  /** Returns the reason if there was no node to begin with. */
  readonly noCandidate: () => Error;
}

export interface AttemptsListener {
  /** Returns whether the node can be used: a node that has gone is not to blame. */
  isHere(node: ClusterNode): boolean;
  /** Called when a node can't do its work, and is let rest. Called once, until the node is well again. */
  onFailing(node: ClusterNode, error: Error): void;
}

export class Attempts {
  readonly #listener: AttemptsListener;
  readonly #now: () => number;
  /** Failures of nodes, by the error's class. */
  readonly refusals = new Decisions<string>('placement');

  /** @param now returns milliseconds, from any moment on */
  constructor(listener: AttemptsListener, now: () => number) {
    this.#listener = listener;
    this.#now = now;
  }

  /**
   * Asks the chosen nodes, until a node can do it. A call that fails by the caller's fault is not tried again.
   * @param choose returns a node that was not tried yet; undefined if there is none
   */
  async untilDone<T>(
    choose: (tried: Tried) => ClusterNode | undefined,
    ask: Ask<T>,
    { room, noCandidate }: Attempted,
  ): Promise<T> {
    const until = this.#now() + MAX_ATTEMPTS_MS;
    const failures = new Map<ClusterNode, Error>();
    for (;;) {
      const isOver = failures.size >= MAX_ATTEMPTS || this.#now() > until;
      const node = isOver ? undefined : choose(failures);
      if (!node) throw failures.size > 0 ? failureOf(failures) : noCandidate();
      try {
        return await this.ask(node, ask, room);
      } catch (thrown) {
        const error = toError(thrown);
        if (isCallersFault(error)) throw error;
        log.warn('%s can’t do it, another node may: %s', node.id, error.message);
        failures.set(node, error);
      }
    }
  }

  /**
   * Asks a node.
   * @param room for which it is asked
   * @throws {Error} as the node
   */
  async ask<T>(node: ClusterNode, ask: Ask<T>, room?: string): Promise<T> {
    const learn = node.rest.begin();
    const startedAt = this.#now();
    try {
      const result = await ask(node);
      if (learn(true)) log('%s is well again', node.id);
      return result;
    } catch (thrown) {
      const error = toError(thrown);
      if (isFull(error)) node.markFull();
      const ms = Math.round(this.#now() - startedAt);
      if (!isCallersFault(error)) this.refusals.note(error.name, { room, node: node.id, ms, refused: error.message });
      const isItsFault = this.#listener.isHere(node) && !isCallersFault(error) && !isFull(error) && !isDraining(error);
      const change = learn(isItsFault ? false : undefined);
      if (change) log.warn('%s is %s, and let rest: %o', node.id, change, error);
      if (change === 'failing') this.#listener.onFailing(node, error);
      throw error;
    }
  }
}
