/** Work on keys, many at once but not all: each key waits at most once, however often it is added. */
export class KeyedQueue {
  readonly #work: (key: string) => Promise<void>;
  readonly #limit: number;
  readonly #waiting = new Set<string>();
  readonly #underway = new Set<string>();

  /**
   * @param limit number of keys that are worked on at once
   * @param work must not reject
   */
  constructor(limit: number, work: (key: string) => Promise<void>) {
    this.#limit = limit;
    this.#work = work;
  }

  /** Adds a key. A key that is being worked on is worked on again after that. */
  add(key: string): void {
    this.#waiting.add(key);
    this.#begin();
  }

  /** Whether the key waits, or is being worked on. */
  has(key: string): boolean {
    return this.#waiting.has(key) || this.#underway.has(key);
  }

  /** Forgets a key that waits. */
  delete(key: string): void {
    this.#waiting.delete(key);
  }

  /** Forgets all keys that wait. */
  clear(): void {
    this.#waiting.clear();
  }

  #begin(): void {
    for (const key of this.#waiting) {
      if (this.#underway.size >= this.#limit) return;
      if (this.#underway.has(key)) continue;
      this.#waiting.delete(key);
      this.#underway.add(key);
      void this.#work(key).then(() => {
        this.#underway.delete(key);
        this.#begin();
      });
    }
  }
}
