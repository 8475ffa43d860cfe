/**
 * Departures from nodes that are no longer used, and may not have heard so: until they can, the objects made there
 * stay.
 */
import type { RemoteMafaldaClient } from '../remote/client/index.ts';
import { logger } from '../core/logger.ts';

const log = logger('horizontal');

export class Departures {
  readonly #end = new AbortController();
  readonly #underway = new Set<Promise<void>>();

  /** Closes the client when its server has heard the goodbye, or can't be expected to. */
  add(client: RemoteMafaldaClient): void {
    const departed = client.depart(this.#end.signal).catch(error => log.warn('%s: %o', client.url, error));
    this.#underway.add(departed);
    void departed.then(() => this.#underway.delete(departed));
  }

  /** Ends the wait for all of them. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#underway);
  }
}
