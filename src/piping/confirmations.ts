/**
 * Tells the sources of pipes that their destinations have accepted them. No caller waits for a confirmation, and a
 * source waits much longer than the delay here; so a single confirmation covers all pipes of a link that are made at
 * about the same time, and does not delay the call that has made them.
 */
import { GraceTimers } from '../core/graceTimers.ts';
import { logger } from '../core/logger.ts';
import type { ConfirmRequest, PipeEndpoint } from './endpoint.ts';

const log = logger('piper');

const CONFIRM_AFTER_MS = 100;
/** Maximum number of Consumers in a call. */
const MAX_CONSUMERS = 100;

interface Confirmation {
  readonly endpoint: PipeEndpoint;
  readonly request: ConfirmRequest;
}

export class Confirmations {
  readonly #waiting = new Map<string, Confirmation>();
  readonly #timers: GraceTimers<string>;

  constructor(afterMs = CONFIRM_AFTER_MS) {
    this.#timers = new GraceTimers(afterMs, key => this.#confirm(key));
  }

  /** @param endpoint the source's */
  add(endpoint: PipeEndpoint, link: Omit<ConfirmRequest, 'consumerIds'>, consumerId: string): void {
    const key = `${link.routerId} ${link.remoteRouterId} ${link.link}`;
    const waiting = this.#waiting.get(key) ?? { endpoint, request: { ...link, consumerIds: [] } };
    waiting.request.consumerIds.push(consumerId);
    if (waiting.request.consumerIds.length === 1) {
      this.#waiting.set(key, waiting);
      this.#timers.start(key);
    } else if (waiting.request.consumerIds.length >= MAX_CONSUMERS) this.#confirm(key);
  }

  /** Sends all waiting confirmations at once. */
  flush(): void {
    for (const key of [...this.#waiting.keys()]) this.#confirm(key);
  }

  #confirm(key: string): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    this.#timers.cancel(key);
    waiting?.endpoint
      .confirmPipes(waiting.request)
      .catch(error =>
        log.warn(
          'pipes from router %s to router %s: %o',
          waiting.request.routerId,
          waiting.request.remoteRouterId,
          error,
        ),
      );
  }
}
