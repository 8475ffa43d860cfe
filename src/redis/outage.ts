/** An outage of a directory: told once when it begins and once when it ends, however many reasons it has meanwhile. */

/** The connection to Redis is down, or records have vanished from it. */
export type OutageReason = 'connection' | 'records';

export class Outage {
  readonly #onBegin: (error: Error) => void;
  readonly #onEnd: () => void;
  readonly #reasons = new Set<OutageReason>();
  /** Number of outages since the start. */
  count = 0;

  constructor(onBegin: (error: Error) => void, onEnd: () => void) {
    this.#onBegin = onBegin;
    this.#onEnd = onEnd;
  }

  /** Whether there is an outage at present. */
  get isOn(): boolean {
    return this.#reasons.size > 0;
  }

  begin(reason: OutageReason, error: Error): void {
    const isFirst = this.#reasons.size === 0;
    this.#reasons.add(reason);
    if (!isFirst) return;
    ++this.count;
    this.#onBegin(error);
  }

  end(reason: OutageReason): void {
    if (this.#reasons.delete(reason) && this.#reasons.size === 0) this.#onEnd();
  }
}
