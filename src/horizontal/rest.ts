/**
 * Rest of a node that can't do its work: longer each time that it fails again. After the rest it gets a single call,
 * and further calls only when that call has succeeded.
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
  /** Counter of findings about the node: a call that was begun before the latest finding adds no new finding. */
  #learned = 0;

  /** @param now returns milliseconds, from any moment on */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether other nodes should be asked instead. */
  get resting(): boolean {
    return this.#failing && (this.#isTrying || this.#now() < this.#until);
  }

  /**
   * Begins a call on the node.
   * @returns to be called with whether the call has succeeded; `undefined` if its result says nothing of the node
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

  /** Ends the rest: the node counts as well. */
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
