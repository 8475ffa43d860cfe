/** Nodes that are not ours any more, and may not have heard so: as long as they can't, what we have made there stays. */
import type { RemoteMafaldaClient } from '../remote/client/index.ts';
import { logger } from '../core/logger.ts';

const log = logger('horizontal');

export class Departures {
  readonly #end = new AbortController();
  readonly #underway = new Set<Promise<void>>();

  /** Closes the client when its server has heard the goodbye, or can't be expected to. */
  add(client: RemoteMafaldaClient): void {
    const departed = client.depart(this.#end.signal).catch(error => log('%s: %o', client.url, error));
    this.#underway.add(departed);
    void departed.then(() => this.#underway.delete(departed));
  }

  /** None of them is waited for any longer. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#underway);
  }
}
