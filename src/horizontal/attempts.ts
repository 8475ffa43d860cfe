/** Nodes are asked one after the other, until one can do it, and what comes of that tells which of them are well. */
import { logger } from '../core/logger.ts';
import type { ClusterNode } from './clusterNode.ts';
import { failureOf, isCallersFault, toError } from './faults.ts';

const log = logger('horizontal');

/** What one node can't do is tried on so many at most, and on no more of them after this time. */
const MAX_ATTEMPTS = 8;
const MAX_ATTEMPTS_MS = 30_000;

/** Nodes that are not asked again. */
export type Tried = ReadonlyMap<ClusterNode, Error>;

type Ask<T> = (node: ClusterNode) => Promise<T>;

export interface AttemptsListener {
  /** Whether the node can be used: one that has gone is not to blame. */
  isHere(node: ClusterNode): boolean;
  /** It can't do what it is asked, and is let rest. Told once, until it is well again. */
  onFailing(node: ClusterNode, error: Error): void;
}

export class Attempts {
  readonly #listener: AttemptsListener;
  readonly #now: () => number;

  /** @param now milliseconds, from any moment on */
  constructor(listener: AttemptsListener, now: () => number) {
    this.#listener = listener;
    this.#now = now;
  }

  /**
   * Asks those that are chosen, until one can do it. What is the caller's fault is not tried again.
   * @param choose one that is not tried yet; returns undefined if there is none
   * @param nobody why there was none to begin with
   */
  async any<T>(choose: (tried: Tried) => ClusterNode | undefined, ask: Ask<T>, nobody: () => Error): Promise<T> {
    const until = this.#now() + MAX_ATTEMPTS_MS;
    const failures = new Map<ClusterNode, Error>();
    for (;;) {
      const isOver = failures.size >= MAX_ATTEMPTS || this.#now() > until;
      const node = isOver ? undefined : choose(failures);
      if (!node) throw failures.size > 0 ? failureOf(failures) : nobody();
      try {
        return await this.one(node, ask);
      } catch (thrown) {
        const error = toError(thrown);
        if (isCallersFault(error)) throw error;
        log('%s can’t do it, another node may: %s', node.id, error.message);
        failures.set(node, error);
      }
    }
  }

  /** Asks this one. @throws what it throws */
  async one<T>(node: ClusterNode, ask: Ask<T>): Promise<T> {
    const learn = node.rest.begin();
    try {
      const result = await ask(node);
      if (learn(true)) log('%s is well again', node.id);
      return result;
    } catch (thrown) {
      const error = toError(thrown);
      const change = learn(this.#listener.isHere(node) && !isCallersFault(error) ? false : undefined);
      if (change) log('%s is %s, and let rest: %o', node.id, change, error);
      if (change === 'failing') this.#listener.onFailing(node, error);
      throw error;
    }
  }
}
