/** Reaction to refusals by the server: attempts at growing intervals, unless the refusal is permanent. */
import { Backoff } from '../../core/backoff.ts';
import { RefusedError } from '../../api/errors.ts';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 20_000;
/**
 * Time after which a client that was let in starts with short intervals again, in ms: its own behaviour may cause
 * refusals.
 */
const SETTLED_AFTER_MS = 60_000;

export class Refusal {
  readonly #url: string;
  readonly #retry: () => void;
  readonly #backoff = new Backoff(FIRST_DELAY_MS, MAX_DELAY_MS);
  /** Reasons that were reported since the client was last let in. */
  readonly #reasons = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #acceptedAt: number | undefined;
  #error: RefusedError | undefined;
  #isClosed = false;

  /** @param retry makes one attempt */
  constructor(url: string, retry: () => void) {
    this.#url = url;
    this.#retry = retry;
  }

  /** Reason why the client is not let in at present. */
  get error(): RefusedError | undefined {
    return this.#error;
  }

  /** Whether the next attempt waits for its time. */
  get waiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Delays the next attempt, longer each time. */
  pause(): void {
    const settled = this.#acceptedAt !== undefined && performance.now() - this.#acceptedAt > SETTLED_AFTER_MS;
    if (settled) this.#backoff.reset();
    this.#acceptedAt = undefined;
    this.stop();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.retryNow(), this.#backoff.next());
  }

  /** Notes a refusal. @returns the error, if its reason has not been reported yet */
  note(reason: string, permanent: boolean): RefusedError | undefined {
    this.#error = new RefusedError(`${this.#url}: ${reason}`, { reason, permanent });
    if (permanent) this.stop();
    else this.pause();
    if (this.#reasons.has(reason)) return undefined;
    this.#reasons.add(reason);
    return this.#error;
  }

  retryNow(): void {
    this.stop();
    this.#retry();
  }

  /** Ends the refusal: the client was let in. */
  accepted(): void {
    this.stop();
    this.#error = undefined;
    this.#reasons.clear();
    this.#acceptedAt = performance.now();
  }

  /** Prevents further attempts, also for refusals during the goodbye, until which the connection stays open. */
  close(): void {
    this.#isClosed = true;
    this.stop();
  }

  /** Cancels the next attempt. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
