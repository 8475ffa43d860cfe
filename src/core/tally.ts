/** Counts by name, since the start of whatever counts. */
export class Tally<Name extends string> {
  readonly #counts = new Map<Name, number>();

  /** Counts of all names that have occurred. */
  get counts(): Partial<Record<Name, number>> {
    return Object.fromEntries(this.#counts) as Partial<Record<Name, number>>;
  }

  add(name: Name): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}
