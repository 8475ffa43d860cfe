/**
 * Limit of what one sender may ask for: its datagrams beyond it are dropped, so that it slows down others by no more than
 * its share. Of strangers nothing gets here, since they can't seal.
 */
import { RateLimit } from '../../core/rateLimit.ts';

/** Datagrams per second of one host, several times what a peer with thousands of rooms sends to another. */
export const DATAGRAMS_PER_SECOND = 1000;
/** Hosts that are counted. Beyond it, those that have sent nothing for a second are forgotten, and new ones not heard. */
const MAX_HOSTS = 10_000;

export class SenderRates {
  readonly #byHost = new Map<string, RateLimit>();
  readonly #now: () => number;

  /** @param now returns milliseconds, from any moment on */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts a datagram. @returns whether it is within its sender's limit */
  take(host: string): boolean {
    let rate = this.#byHost.get(host);
    if (!rate) {
      if (this.#byHost.size >= MAX_HOSTS) this.#sweep();
      if (this.#byHost.size >= MAX_HOSTS) return false;
      rate = new RateLimit(DATAGRAMS_PER_SECOND, this.#now);
      this.#byHost.set(host, rate);
    }
    return rate.take(1);
  }

  #sweep(): void {
    for (const [host, rate] of this.#byHost) if (rate.isFull) this.#byHost.delete(host);
  }
}
