/** What a node has got and can't have reported yet: the difference between what it says of itself and what it will soon be. */

/** What is expected until it shows in the node's reports, in percent of one core. A core has room for about 500 Consumers. */
const CONSUMER_LOAD = 0.2;
/** A Transport brings some Producers and Consumers with it. */
const TRANSPORT_LOAD = 2;

/**
 * A report tells how much of a second was used that ended up to a second before it. So nothing is sure to be in a report that comes
 * earlier than this after its creation.
 */
const SHOWS_AFTER_MS = 2000;

interface Created {
  readonly at: number;
  readonly load: number;
}

export class ExpectedLoad {
  readonly #cores: () => number;
  readonly #now: () => number;
  /** What has been created, the oldest first, and does not show yet. */
  #created: Created[] = [];
  #createdLoad = 0;
  #underway = 0;

  /**
   * @param cores how many the node has
   * @param now milliseconds, from any moment on
   */
  constructor(cores: () => number, now: () => number) {
    this.#cores = cores;
    this.#now = now;
  }

  /** Percent of the node. */
  get load(): number {
    return (this.#underway * TRANSPORT_LOAD + this.#createdLoad) / this.#cores();
  }

  /** How many Transports, or RtpObservers, are being created. */
  get underway(): number {
    return this.#underway;
  }

  /** One is being created. @returns to be called once, when it is there, or will never be */
  transport(): (created: boolean) => void {
    ++this.#underway;
    return created => {
      --this.#underway;
      if (created) this.#add(TRANSPORT_LOAD);
    };
  }

  consumer(): void {
    this.#add(CONSUMER_LOAD);
  }

  /** The node has just told its load: what has been there for long enough is in it. */
  measured(): void {
    const shown = this.#now() - SHOWS_AFTER_MS;
    const firstUnseen = this.#created.findIndex(({ at }) => at > shown);
    const seen = this.#created.splice(0, firstUnseen < 0 ? this.#created.length : firstUnseen);
    // Whatever rounding has left behind goes when nothing is left.
    this.#createdLoad = this.#created.length === 0 ? 0 : this.#createdLoad - seen.reduce((sum, { load }) => sum + load, 0);
  }

  #add(load: number): void {
    this.#created.push({ at: this.#now(), load });
    this.#createdLoad += load;
  }
}
