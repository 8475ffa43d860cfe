/**
 * Load of objects that a node has got and can't have reported yet: the difference between its report and its load in a
 * moment.
 */
import { onceClosed, type Closable } from '../core/onceClosed.ts';

/**
 * Load expected of a Consumer until it shows in the node's reports, in percent of one core. A core has room for about
 * 500 Consumers.
 */
const CONSUMER_LOAD = 0.2;
/** Load expected of a Transport, in percent of one core: it brings some Producers and Consumers with it. */
const TRANSPORT_LOAD = 2;

/**
 * Time after which a new object is sure to show in a report: a report covers a second that ended up to a second before
 * it.
 */
const SHOWS_AFTER_MS = 2000;

interface Created {
  /** Time of its creation, in ms. */
  readonly at: number;
  readonly load: number;
}

export class ExpectedLoad {
  readonly #cores: () => number;
  readonly #now: () => number;
  /** Objects that have been created and do not show yet, the oldest first. */
  readonly #created = new Set<Created>();
  #createdLoad = 0;
  #underway = 0;

  /**
   * @param cores returns the number of the node's cores
   * @param now returns milliseconds, from any moment on
   */
  constructor(cores: () => number, now: () => number) {
    this.#cores = cores;
    this.#now = now;
  }

  /** Expected load, in percent of the node. */
  get load(): number {
    return (this.#underway * TRANSPORT_LOAD + this.#createdLoad) / this.#cores();
  }

  /** Number of Transports and RtpObservers that are being created. */
  get underway(): number {
    return this.#underway;
  }

  /**
   * Counts a Transport or RtpObserver that is being created.
   * @returns to be called once, with whether it was created, and the object, which counts until it closes at most
   */
  transport(): (created: boolean, object?: Closable) => void {
    ++this.#underway;
    return (created, object) => {
      --this.#underway;
      if (!created) return;
      const load = this.#add(TRANSPORT_LOAD);
      if (object) onceClosed(object, () => this.#forget(load));
    };
  }

  consumer(): void {
    this.#add(CONSUMER_LOAD);
  }

  /**
   * Notes that the node has just reported its load, which includes all objects that have existed for long enough.
   * @param countsNew whether it includes new objects too, since the node itself expects their load
   */
  measured(countsNew = false): void {
    const shown = countsNew ? Infinity : this.#now() - SHOWS_AFTER_MS;
    for (const created of this.#created) {
      if (created.at > shown) break;
      this.#forget(created);
    }
  }

  #add(load: number): Created {
    const created = { at: this.#now(), load };
    this.#created.add(created);
    this.#createdLoad += load;
    return created;
  }

  #forget(created: Created): void {
    if (!this.#created.delete(created)) return;
    // The sum restarts at 0, so that rounding errors don't add up.
    this.#createdLoad = this.#created.size === 0 ? 0 : this.#createdLoad - created.load;
  }
}
