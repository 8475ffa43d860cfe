/** Accounts of kept bytes: each session has a limit of its own, and all sessions of a server have a common limit. */

/** Bytes that all sessions of a server keep together. */
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
   * Bytes that each session may have while the budget is exceeded; a session with more is refused or cut off, so that
   * the others go on. Infinity while the budget is not exceeded.
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

/** Bytes that one session keeps: messages that wait for the other side, and messages that wait for this side. */
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

  /** @param more bytes that would be added, or, if negative, that are not counted */
  isOver(more = 0): boolean {
    const bytes = this.#bytes + more;
    return bytes > this.max || bytes > this.#budget.share;
  }

  /** Returns all bytes to the budget, and the account's share to the others. */
  close(): void {
    if (this.#closed) return;
    this.add(-this.#bytes);
    this.#closed = true;
    this.#onClose();
  }
}
