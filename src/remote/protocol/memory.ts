/** Who may keep how many bytes: each session within a bound of its own, and all of a server within a common one. */

/** What all sessions of a server keep together. */
export class MemoryBudget {
  readonly max: number;
  #bytes = 0;
  #accounts = 0;

  constructor(max = Infinity) {
    this.max = max;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * What each may have where there is not enough for all: who has more is refused, or cut off, so that the others go on.
   * Without bound as long as there is enough.
   */
  get share(): number {
    return this.#bytes <= this.max ? Infinity : this.max / Math.max(1, this.#accounts);
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  open(max: number): MemoryAccount {
    ++this.#accounts;
    return new MemoryAccount(max, this, () => --this.#accounts);
  }
}

/** What one session keeps: what waits for the other side, and what waits for this one. */
export class MemoryAccount {
  readonly max: number;
  readonly #budget: MemoryBudget;
  readonly #onClose: () => void;
  #bytes = 0;
  #closed = false;

  constructor(max: number, budget = new MemoryBudget(), onClose: () => void = () => undefined) {
    this.max = max;
    this.#budget = budget;
    this.#onClose = onClose;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param bytes more, or fewer if negative */
  add(bytes: number): void {
    if (this.#closed) return;
    this.#bytes += bytes;
    this.#budget.add(bytes);
  }

  /** @param more what would come on top, or does not count if negative */
  isOver(more = 0): boolean {
    const bytes = this.#bytes + more;
    return bytes > this.max || bytes > this.#budget.share;
  }

  /** Whatever was kept is kept no longer. */
  close(): void {
    if (this.#closed) return;
    this.add(-this.#bytes);
    this.#closed = true;
    this.#onClose();
  }
}
