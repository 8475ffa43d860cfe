/**
 * File in which a peer keeps addresses of others over a restart, so that it finds the swarm again when all peers that
 * are named to it are dead.
 */
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { isObject } from '../../api/optionTypes.ts';
import { parseAddress } from '../dht/address.ts';

/** Peers that are kept. Some will be dead at the next start. */
const MAX_PEERS = 50;
const MAX_BYTES = 20_000;

export class PeersFile {
  readonly #path: string;
  #kept: readonly string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Reads the addresses of the last run; none if there is no file yet.
   * @throws {Error} for a file that can't be read, or is no list of peers; the next `write()` replaces it
   */
  async read(): Promise<readonly string[]> {
    try {
      const { size } = await stat(this.#path);
      if (size > MAX_BYTES) throw new Error(`it has ${size} bytes`);
      this.#kept = peersIn(JSON.parse(await readFile(this.#path, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw new Error(
        `the list of peers in ${this.#path} is ignored, and will be written anew: ${(error as Error).message}`,
        { cause: error },
      );
    }
    return this.#kept;
  }

  /**
   * Writes the addresses of present peers, and behind them those of earlier ones, as far as there is room. The file is
   * replaced at once: a process that is killed leaves the old one or the new one.
   * @throws {Error} if the file can't be written
   */
  async write(present: readonly string[]): Promise<void> {
    const peers = [...new Set([...present, ...this.#kept])].slice(0, MAX_PEERS);
    if (peers.length === this.#kept.length && peers.every(peer => this.#kept.includes(peer))) return;
    const temporary = `${this.#path}.${process.pid}.tmp`;
    await writeFile(temporary, `${JSON.stringify({ peers }, undefined, 2)}\n`, { mode: 0o600 });
    await rename(temporary, this.#path);
    this.#kept = peers;
  }
}

/** @throws {Error} if the value is no list of peers */
function peersIn(value: unknown): readonly string[] {
  const peers = isObject(value) && 'peers' in value ? value.peers : undefined;
  if (!Array.isArray(peers) || peers.length > MAX_PEERS) throw new Error(`it has no list of up to ${MAX_PEERS} peers`);
  return peers.map((peer: unknown) => {
    if (typeof peer !== 'string' || !parseAddress(peer)) throw new Error('it has addresses that are none');
    return peer;
  });
}
