/** Groups of objects by two keys. Most groups have a single member, which is stored without a Set. */
export class Groups<T extends object> {
  readonly #groups = new Map<string, Map<string, T | Set<T>>>();

  add(outer: string, inner: string, member: T): void {
    let groups = this.#groups.get(outer);
    if (!groups) this.#groups.set(outer, (groups = new Map<string, T | Set<T>>()));
    const group = groups.get(inner);
    if (group === undefined) groups.set(inner, member);
    else if (group instanceof Set) group.add(member);
    else if (group !== member) groups.set(inner, new Set([group, member]));
  }

  /**
   * Removes a member from its group.
   * @returns whether it was a member
   */
  delete(outer: string, inner: string, member: T): boolean {
    const groups = this.#groups.get(outer);
    const group = groups?.get(inner);
    if (!groups || group === undefined) return false;
    if (group instanceof Set) {
      const wasThere = group.delete(member);
      if (group.size > 0) return wasThere;
    } else if (group !== member) return false;
    groups.delete(inner);
    if (groups.size === 0) this.#groups.delete(outer);
    return true;
  }

  *of(outer: string, inner: string): Generator<T, void, undefined> {
    const group = this.#groups.get(outer)?.get(inner);
    if (group instanceof Set) yield* group;
    else if (group !== undefined) yield group;
  }

  has(outer: string, inner: string): boolean {
    return this.#groups.get(outer)?.has(inner) ?? false;
  }

  /** Returns the members of all groups with this outer key. */
  *all(outer: string): Generator<T, void, undefined> {
    for (const group of this.#groups.get(outer)?.values() ?? []) {
      if (group instanceof Set) yield* group;
      else yield group;
    }
  }
}
