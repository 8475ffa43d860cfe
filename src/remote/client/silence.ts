/** Watches for signs of life of the other side, and tells when there have been none for too long. */
export class Silence {
  readonly #onTooLong: () => void;
  #timer: NodeJS.Timeout | undefined;
  #signs = 0;

  constructor(onTooLong: () => void) {
    this.#onTooLong = onTooLong;
  }

  /** From now on it may last so many ms. */
  watch(timeoutMs: number): void {
    this.stop();
    this.#timer = setTimeout(() => {
      const signs = this.#signs;
      // If it was this process that slept, what has arrived meanwhile is still to be read.
      setImmediate(() => this.#timer && this.#signs === signs && this.#tell());
    }, timeoutMs).unref();
  }

  /** A sign of life. */
  end(): void {
    ++this.#signs;
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    this.stop();
    this.#onTooLong();
  }
}
