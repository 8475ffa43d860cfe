/** Map with several values for a key. Most keys have a single value, which is stored without a Set. */
export class Multimap<K, V extends string | object> {
  readonly #byKey = new Map<K, V | Set<V>>();

  /** Number of keys that have values. */
  get size(): number {
    return this.#byKey.size;
  }

  has(key: K): boolean {
    return this.#byKey.has(key);
  }

  keys(): MapIterator<K> {
    return this.#byKey.keys();
  }

  /** Returns all values, the keys in the order in which they came to be. */
  *values(): Generator<V, void, undefined> {
    for (const values of this.#byKey.values()) {
      if (values instanceof Set) yield* values;
      else yield values;
    }
  }

  /** Returns the values of a key, in the order in which they were added; an empty array if it has none. */
  get(key: K): V[] {
    const values = this.#byKey.get(key);
    if (values === undefined) return [];
    return values instanceof Set ? [...values] : [values];
  }

  add(key: K, value: V): void {
    const values = this.#byKey.get(key);
    if (values instanceof Set) values.add(value);
    else this.#byKey.set(key, values === undefined || values === value ? value : new Set([values, value]));
  }

  clear(): void {
    this.#byKey.clear();
  }

  delete(key: K, value: V): void {
    const values = this.#byKey.get(key);
    if (values instanceof Set) values.delete(value);
    if (values === value || (values instanceof Set && values.size === 0)) this.#byKey.delete(key);
  }
}
