/** Stages of a pipe, for callers that need not wait for its end. */

/** Stages as the pipe's maker reaches them. */
export class Stages {
  /** Resolves when the destination has been asked. */
  readonly announced: Promise<void>;
  /** Resolves when the stream can be consumed at the destination. */
  readonly produced: Promise<void>;
  readonly produce: () => void;
  #isAnnounced = false;
  #isWithdrawn = false;
  readonly #resolveAnnounced: () => void;

  constructor() {
    [this.announced, this.#resolveAnnounced] = deferred();
    [this.produced, this.produce] = deferred();
  }

  /** Whether users may have asked the destination for the stream. */
  get isAnnounced(): boolean {
    return this.#isAnnounced;
  }

  /** Whether what users may have been given has closed again, though the stream may have arrived since. */
  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }

  announce(): void {
    this.#isAnnounced = true;
    this.#resolveAnnounced();
  }

  withdraw(): void {
    this.#isWithdrawn = true;
  }
}

/** @returns a promise, and the function that resolves it */
export function deferred(): [Promise<void>, () => void] {
  let resolve!: () => void;
  const promise = new Promise<void>(settle => (resolve = settle));
  return [promise, resolve];
}

/**
 * Resolves at a stage of a process, or at its end; rejects with its end. A rejection that is not awaited is no
 * unhandled rejection.
 */
export function firstOf(stage: Promise<void>, end: Promise<void>): Promise<void> {
  const first = Promise.race([stage, end]);
  first.catch(() => undefined);
  return first;
}
