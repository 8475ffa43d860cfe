/**
 * Ways into a swarm: the peers that the application has named, and those that this peer remembers of its last run. They
 * are asked apart from look-ups, which would have to wait for those of them that are dead.
 */
import { lookup } from 'node:dns/promises';
import { shuffled } from '../../core/shuffled.ts';
import { parseAddress, toText, type HostAndPort } from './address.ts';

/** Remembered peers that are asked at a time, beside all that are named. */
const MAX_ASKED = 8;
/** Known peers from which on the others are asked less often: in a large swarm all name the same few entrances. */
const FEW = 20;
/** Peers of this run that are remembered beside those of the last one. */
const MAX_MET = 50;

export interface EntrancesOptions {
  /** Addresses that the application has named, `host:port`. */
  bootstrap: readonly string[];
  /** Addresses of peers of the last run. */
  remembered: readonly string[];
  /** Address of this peer, which may be among them. */
  own: HostAndPort;
  /** Asks a peer for an answer. Rejects if there is none. */
  ask: (address: HostAndPort) => Promise<unknown>;
}

export class Entrances {
  readonly #options: EntrancesOptions;
  /** Addresses of peers that were known in this run, the latest last. */
  readonly #met = new Set<string>();

  constructor(options: EntrancesOptions) {
    this.#options = options;
  }

  /**
   * Asks the peers, all at once. Resolves with the first answer, or when none has come.
   * @returns the reasons why they don't answer, by address; empty if one does, or there are none
   */
  async askAll(): Promise<ReadonlyMap<string, Error>> {
    const { bootstrap, remembered } = this.#options;
    const others = shuffled([...remembered, ...this.#met]).slice(0, MAX_ASKED);
    const chosen = new Set([...bootstrap, ...others]);
    const failures = new Map<string, Error>();
    return new Promise(resolve => {
      const asked = [...chosen].map(async address => {
        try {
          if (await this.#ask(address)) resolve(new Map());
        } catch (error) {
          failures.set(address, error as Error);
        }
      });
      void Promise.all(asked).then(() => resolve(failures));
    });
  }

  /**
   * Asks one of the peers that are not among the known ones, if there is any: so two halves of a swarm meet again. The
   * more peers are known, the less often this one does.
   */
  async askOther(known: readonly HostAndPort[]): Promise<void> {
    const { bootstrap, remembered } = this.#options;
    const present = new Set(known.map(toText));
    // Others would be forgotten at once.
    this.#meet([...present].slice(-MAX_MET));
    if (Math.random() * known.length >= FEW) return;
    const all = new Set([...bootstrap, ...remembered, ...this.#met]);
    const [address] = shuffled([...all].filter(each => !present.has(each)));
    if (address !== undefined) await this.#ask(address);
  }

  #meet(present: readonly string[]): void {
    for (const address of present) {
      this.#met.delete(address);
      this.#met.add(address);
      if (this.#met.size > MAX_MET) this.#met.delete(this.#met.values().next().value!);
    }
  }

  /** @returns whether it is another peer, which has answered */
  async #ask(text: string): Promise<boolean> {
    const { own, ask } = this.#options;
    const { host: name, port } = parseAddress(text)!;
    // A name is looked up each time, since its address may change.
    const { address: host } = await lookup(name, 4);
    if (host === own.host && port === own.port) return false;
    await ask({ host, port });
    return true;
  }
}
