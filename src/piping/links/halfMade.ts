/**
 * Half-made pipes: ends that are not connected, and Consumers whose stream the other side has not accepted, as far as
 * is known. They close after a while, since their maker must have gone.
 */
import type { Consumer, DataConsumer, PipeTransport } from 'mediasoup/types';
import { GraceTimers } from '../../core/graceTimers.ts';
import { onceClosed } from '../../core/onceClosed.ts';

/**
 * Time to complete a pipe, longer than any maker of a pipe takes: a pipe that is still half made by then will never be
 * whole.
 */
const COMPLETION_TIMEOUT_MS = 10_000;

type Half = PipeTransport | Consumer | DataConsumer;

export class HalfMade {
  readonly #timers: GraceTimers<Half>;
  readonly #unaccepted = new Map<string, Consumer | DataConsumer>();

  constructor(completionTimeoutMs = COMPLETION_TIMEOUT_MS) {
    this.#timers = new GraceTimers(completionTimeoutMs, half => half.close());
  }

  /** Closes an end in time, unless it is connected. */
  expectConnection(end: PipeTransport): void {
    this.#timers.start(end);
    onceClosed(end, () => this.#timers.cancel(end));
  }

  /** Restarts the timeout of an end, since another maker is about to connect it. */
  connectionResumed(end: PipeTransport): void {
    if (!end.closed) this.#timers.start(end);
  }

  connected(end: PipeTransport): void {
    this.#timers.cancel(end);
  }

  /** Closes the Consumer of an offered stream in time, unless the other side accepts the stream. */
  expectAcceptance(consumer: Consumer | DataConsumer): void {
    this.#unaccepted.set(consumer.id, consumer);
    this.#timers.start(consumer);
    onceClosed(consumer, () => {
      this.#unaccepted.delete(consumer.id);
      this.#timers.cancel(consumer);
    });
  }

  /** Restarts the timeout of an offer that is not accepted, since another maker is about to complete the pipe. */
  offeredAgain(consumerId: string): void {
    const unaccepted = this.#unaccepted.get(consumerId);
    if (unaccepted && !unaccepted.closed) this.#timers.start(unaccepted);
  }

  accepted(consumerId: string): void {
    const accepted = this.#unaccepted.get(consumerId);
    if (accepted) this.#timers.cancel(accepted);
    this.#unaccepted.delete(consumerId);
  }
}
