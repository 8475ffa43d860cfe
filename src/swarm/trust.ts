/** Trust of a peer: the keys of its group, and the other peers that it has to do with. Can change while it runs. */
import type { ResolvedSwarmOptions, SwarmTrustOptions } from './swarmOptions.ts';

/** Keys as the application gives them. */
type GivenKeys = ResolvedSwarmOptions['key'];

export class Trust {
  #keys: readonly Buffer[];
  #trusted: ReadonlySet<string> | undefined;
  #revoked: ReadonlySet<string>;

  constructor({ key, trusted, revoked }: Pick<ResolvedSwarmOptions, 'key' | 'trusted' | 'revoked'>) {
    this.#keys = copiesOf(key);
    this.#trusted = trusted && new Set(trusted);
    this.#revoked = new Set(revoked);
  }

  /** Keys of the group: the first is used, all are accepted. */
  get keys(): readonly Buffer[] {
    return this.#keys;
  }

  /** Returns whether this peer has to do with the peer of this id. */
  trusts(peerId: string): boolean {
    return (this.#trusted?.has(peerId) ?? true) && !this.#revoked.has(peerId);
  }

  /** Replaces what is given, and leaves the rest. */
  update({ key, trusted, revoked }: SwarmTrustOptions): void {
    if (key !== undefined) this.#keys = copiesOf(key);
    if (trusted !== undefined) this.#trusted = new Set(trusted);
    if (revoked !== undefined) this.#revoked = new Set(revoked);
  }
}

/** Copies the keys, so that the caller may erase its own. */
function copiesOf(key: GivenKeys): Buffer[] {
  return (key instanceof Uint8Array ? [key] : key).map(one => Buffer.from(one));
}
