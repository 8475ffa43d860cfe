/** Whether this autoscaler is the one that decides. Without a lease it always is. */
import { logger } from '../core/logger.ts';
import { within } from '../core/within.ts';
import type { Lease } from '../horizontal/directory/lease.ts';

const log = logger('autoscale');

export class Leadership {
  readonly #lease: Lease | undefined;
  readonly #now: () => number;
  #fence: number | undefined;
  #until = -Infinity;
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;

  /** @param now returns milliseconds that grow evenly */
  constructor(lease: Lease | undefined, now: () => number) {
    this.#lease = lease;
    this.#now = now;
  }

  /** Whether there are other autoscalers that may lead. */
  get isShared(): boolean {
    return this.#lease !== undefined;
  }

  /** Whether this one may decide at the moment. */
  get leading(): boolean {
    return !this.#lease || this.#now() < this.#until;
  }

  /** Fencing token of the lease, as long as this one has it. */
  get fence(): number | undefined {
    return this.leading ? this.#fence : undefined;
  }

  /** Duration after which to ask again, in ms: a third of the lease's. Undefined without a lease. */
  get renewalMs(): number | undefined {
    return this.#lease && this.#lease.duration / 3;
  }

  /** Takes or renews the lease when it is time to. Resolves at once when it is not. Never rejects. */
  async refresh(): Promise<void> {
    if (!this.#lease || this.#now() - this.#askedAt < this.#lease.duration / 3) return;
    this.#asking ??= this.#ask(this.#lease).finally(() => (this.#asking = undefined));
    // A directory that is silent must not keep the leader from deciding as long as its lease lasts.
    await within(this.#asking, this.#lease.duration / 3);
  }

  async release(): Promise<void> {
    await this.#asking;
    this.#until = -Infinity;
    await this.#lease?.release().catch(error => log('the lease was not given back, and runs out: %o', error));
  }

  async #ask(lease: Lease): Promise<void> {
    // The lease lasts from before it was asked for: an answer may be late.
    const askedAt = this.#now();
    this.#askedAt = askedAt;
    try {
      const fence = await lease.acquire();
      if (fence !== undefined && fence !== this.#fence) log('leads from now on (%d)', fence);
      this.#fence = fence;
      this.#until = fence === undefined ? -Infinity : askedAt + lease.duration;
    } catch (error) {
      log('the lease can’t be asked for: %o', error);
    }
  }
}
