/**
 * Node of the DHT that asks less often whether others are still there. Where a row of its table is full, dht-rpc pings a
 * peer of that row for each other one that comes along, unless it has known it for half an hour. In a swarm that is larger
 * than the table that was three pings a second of each peer, a quarter of all that it sent.
 */
import DHT from 'dht-rpc';

/** Interval of the pings for full rows, in ms: a table of 150 peers is through in 12 minutes, beside what look-ups notice. */
const PING_MS = 5000;

export class CalmNode extends DHT {
  #pingedAt = -Infinity;

  override _onfullrow(newNode: unknown, row: unknown): void {
    const now = Date.now();
    if (now - this.#pingedAt < PING_MS) return;
    this.#pingedAt = now;
    super._onfullrow(newNode, row);
  }
}
