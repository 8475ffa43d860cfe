/** Which client each name belongs to: of several that come under the same name, the one that came last. */

/** So many names, and clients that have lost theirs, are remembered; then the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;

export class Names {
  readonly #owners = new Map<string, string>();
  /** Clients that another one has followed: they must not come back and follow that one, again and again. */
  readonly #followed = new Set<string>();

  /** To be called when a client comes. @returns whether the name is its own from now on, or still: no other client has followed it */
  claim(name: string, instance: string): boolean {
    if (this.#followed.has(key(name, instance))) return false;
    const owner = this.#owners.get(name);
    if (owner !== undefined && owner !== instance) {
      this.#followed.add(key(name, owner));
      forgetOldest(this.#followed);
    }
    this.#owners.delete(name);
    this.#owners.set(name, instance);
    forgetOldest(this.#owners);
    return true;
  }

  /** To be called when a client has said goodbye. */
  release(name: string, instance: string): void {
    if (this.#owners.get(name) === instance) this.#owners.delete(name);
  }
}

function key(name: string, instance: string): string {
  return JSON.stringify([name, instance]);
}

function forgetOldest(remembered: Set<string> | Map<string, string>): void {
  if (remembered.size <= MAX_REMEMBERED) return;
  const [oldest] = remembered.keys();
  if (oldest !== undefined) remembered.delete(oldest);
}
