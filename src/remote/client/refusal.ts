/** What a client does when its server refuses it: it tries again, ever more rarely, unless that can't help. */
import { Backoff } from '../../core/backoff.ts';
import { RefusedError } from '../../api/errors.ts';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 20_000;
/** A client that was let in, and is refused again before this time, goes on to wait longer: its server may refuse it for what it does. */
const SETTLED_AFTER_MS = 60_000;

export class Refusal {
  readonly #url: string;
  readonly #retry: () => void;
  readonly #backoff = new Backoff(FIRST_DELAY_MS, MAX_DELAY_MS);
  /** Since the client was let in for the last time. */
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

  /** Why the client is not let in at present. */
  get error(): RefusedError | undefined {
    return this.#error;
  }

  /** Whether the next attempt is due later. */
  get waiting(): boolean {
    return this.#timer !== undefined;
  }

  /** The next attempt is made later, and later each time: the server has not kept to the protocol. */
  pause(): void {
    const settled = this.#acceptedAt !== undefined && performance.now() - this.#acceptedAt > SETTLED_AFTER_MS;
    if (settled) this.#backoff.reset();
    this.#acceptedAt = undefined;
    this.stop();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.retryNow(), this.#backoff.next());
  }

  /** An attempt was refused. @returns the error, if nothing has been said of this reason yet */
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

  /** The client was let in. */
  accepted(): void {
    this.stop();
    this.#error = undefined;
    this.#reasons.clear();
    this.#acceptedAt = performance.now();
  }

  /** No attempt is made any more, whatever the server still says: its connection is open until the goodbye has been heard. */
  close(): void {
    this.#isClosed = true;
    this.stop();
  }

  /** The next attempt is not made. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
