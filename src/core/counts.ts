/** Numbers of holds on names: a name is there as long as anybody holds it. */
export class Counts {
  readonly #counts = new Map<string, number>();

  has(name: string): boolean {
    return this.#counts.has(name);
  }

  /** Adds a hold. */
  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1);
  }

  /** Removes a hold. */
  delete(name: string): void {
    const left = this.of(name) - 1;
    if (left > 0) this.#counts.set(name, left);
    else this.#counts.delete(name);
  }

  /** Returns the number of holds. */
  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }
}
