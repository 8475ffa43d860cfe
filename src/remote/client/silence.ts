/** Watches for signs of life of the other side, and reports too long a silence. */
export class Silence {
  readonly #onTooLong: () => void;
  #timer: NodeJS.Timeout | undefined;
  #signs = 0;

  constructor(onTooLong: () => void) {
    this.#onTooLong = onTooLong;
  }

  /** Starts watching. @param timeoutMs longest allowed silence, in ms */
  watch(timeoutMs: number): void {
    this.stop();
    this.#timer = setTimeout(() => {
      const signs = this.#signs;
      // After a sleep of this process, packets that have arrived meanwhile are still to be read.
      setImmediate(() => this.#timer && this.#signs === signs && this.#report());
    }, timeoutMs).unref();
  }

  /** Notes a sign of life. */
  end(): void {
    ++this.#signs;
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #report(): void {
    this.stop();
    this.#onTooLong();
  }
}
