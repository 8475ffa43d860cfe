/**
 * A node that can't do what it is asked is let rest, longer each time that it fails again. After that it gets one call, and the
 * others only when that one has succeeded.
 */
import { Backoff } from '../core/backoff.ts';

const FIRST_REST_MS = 1000;
const MAX_REST_MS = 60_000;

export type RestChange = 'failing' | 'still failing' | 'well';

export class Rest {
  readonly #now: () => number;
  readonly #backoff = new Backoff(FIRST_REST_MS, MAX_REST_MS);
  #failing = false;
  #until = 0;
  #isTrying = false;
  /** Counts what is learned of the node: a call tells nothing new that was begun before that. */
  #learned = 0;

  /** @param now milliseconds, from any moment on */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether another node should be asked. */
  get resting(): boolean {
    return this.#failing && (this.#isTrying || this.#now() < this.#until);
  }

  /**
   * To be called when the node is asked something. @returns to be called with what has come of it; `undefined` where that says
   * nothing of the node
   */
  begin(): (succeeded: boolean | undefined) => RestChange | undefined {
    const learned = this.#learned;
    const isTrial = this.#failing && !this.resting;
    if (isTrial) this.#isTrying = true;
    return succeeded => {
      if (learned !== this.#learned) return undefined;
      if (isTrial) this.#isTrying = false;
      if (succeeded === undefined || (succeeded && !this.#failing)) return undefined;
      return succeeded ? this.end() : this.#fail();
    };
  }

  /** It is taken for well. */
  end(): RestChange | undefined {
    if (!this.#failing) return undefined;
    ++this.#learned;
    this.#failing = this.#isTrying = false;
    this.#backoff.reset();
    return 'well';
  }

  #fail(): RestChange {
    const change = this.#failing ? 'still failing' : 'failing';
    ++this.#learned;
    this.#failing = true;
    this.#isTrying = false;
    this.#until = this.#now() + this.#backoff.next();
    return change;
  }
}
