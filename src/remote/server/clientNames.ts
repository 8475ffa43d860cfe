/** Owners of client names: a name belongs to the client that came last under it. */

/** Number of names, and of clients that have lost theirs, that are remembered; beyond it the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;

export class ClientNames {
  readonly #owners = new Map<string, string>();
  /** Clients that another client has replaced. They must not come back and replace it in turn, again and again. */
  readonly #replaced = new Set<string>();

  /** Gives the name to a client that comes. @returns whether it has the name, which no other client has taken over */
  claim(name: string, instance: string): boolean {
    if (this.#replaced.has(key(name, instance))) return false;
    const owner = this.#owners.get(name);
    if (owner !== undefined && owner !== instance) {
      this.#replaced.add(key(name, owner));
      forgetOldest(this.#replaced);
    }
    this.#owners.delete(name);
    this.#owners.set(name, instance);
    forgetOldest(this.#owners);
    return true;
  }

  /** Frees the name of a client that has left. */
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
