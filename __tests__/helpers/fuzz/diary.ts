/** Keeps the messages that were sent last, from which the one that did it can be found. */
export class Diary {
  readonly #latest: string[] = [];
  readonly #size: number;
  /** How much was ever sent. */
  count = 0;

  constructor(size: number) {
    this.#size = size;
  }

  note<T>(what: T): T {
    ++this.count;
    this.#latest.push(JSON.stringify(what)?.slice(0, 800) ?? 'undefined');
    if (this.#latest.length > this.#size) this.#latest.shift();
    return what;
  }

  toString(): string {
    return this.#latest.join('\n');
  }
}
