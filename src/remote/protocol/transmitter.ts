/**
 * Sends the messages of an outbox in packets: new messages of one tick together, and after a reconnection all that the
 * other side has not acknowledged, in turns with the sending of other sessions.
 */
import { turns } from '../../core/turns.ts';
import { MAX_BUFFERS } from './codec.ts';
import type { Kept, Outbox } from './outbox.ts';

/**
 * Bytes of several messages in one packet, which the other side parses and checks in one go. Each packet costs some
 * system calls, and with a packet for all messages of a burst the other side would wait idly for the last of them.
 */
const MAX_BATCH_BYTES = 32_768;
/** Time for which a message that can wait does so at most, in ms: mostly another message follows it sooner. */
const WAIT_MS = 5;

export class Transmitter<Sent> {
  /** Bytes of messages in a packet, if it has several. */
  maxBatchBytes = MAX_BATCH_BYTES;
  readonly #outbox: Outbox<Sent>;
  readonly #transmit: (number: number, messages: Sent[]) => void;
  /** Messages of the next packet. */
  #batch: Kept<Sent>[] = [];
  #batchBytes = 0;
  /** Whether the batch is sent at the end of this tick. */
  #isDue = false;
  #waiting: NodeJS.Timeout | undefined;
  #isStarted = false;
  /** Number of the latest message. */
  #last = 0;
  /** Number of the first message from before this connection that has not been sent again. */
  #nextToResend = Infinity;

  /** @param transmit sends one packet: the number of its first message, and its messages */
  constructor(outbox: Outbox<Sent>, transmit: (number: number, messages: Sent[]) => void) {
    this.#outbox = outbox;
    this.#transmit = transmit;
  }

  /** Begins a connection: sends all that is in the outbox again, at once as long as the turn has time left. */
  start(last: number): void {
    this.#isStarted = true;
    this.#last = last;
    this.#nextToResend = this.#outbox.oldest?.number ?? last + 1;
    if (!this.#isSendingAgain) return;
    while (this.#sendNext() && turns.hasTime);
    if (this.#isSendingAgain) turns.add(this.#sendNext);
  }

  /** Ends a connection. The messages stay in the outbox. */
  stop(): void {
    this.#isStarted = false;
    this.#takeBatch();
    this.#nextToResend = Infinity;
    turns.delete(this.#sendNext);
  }

  /**
   * Sends a message that is new in the outbox, unless older ones go first: it is sent after them then.
   * @param canWait whether it may wait a moment for a message that follows
   */
  add(kept: Kept<Sent>, canWait: boolean): void {
    const isSendingAgain = this.#isSendingAgain;
    this.#last = kept.number;
    if (!isSendingAgain) this.#collect(kept, canWait);
  }

  /** Sends all waiting messages at once. */
  flush(): void {
    while (this.#isSendingAgain) this.#sendNext();
    this.#flushBatch();
  }

  /** Whether new messages have to wait for those that are sent again. */
  get #isSendingAgain(): boolean {
    return this.#nextToResend <= this.#last;
  }

  /** Collects messages of one tick in one packet, since each packet costs both sides a system call. */
  #collect(kept: Kept<Sent>, canWait: boolean): void {
    if (!this.#isStarted) return;
    this.#nextToResend = kept.number + 1;
    if (this.#batchBytes + kept.wireBytes > this.maxBatchBytes) this.#flushBatch();
    this.#batch.push(kept);
    this.#batchBytes += kept.wireBytes;
    if (this.#isDue) return;
    if (canWait) {
      this.#waiting ??= setTimeout(this.#flushBatch, WAIT_MS).unref();
      return;
    }
    this.#isDue = true;
    process.nextTick(this.#flushBatch);
  }

  /** Sends one more packet again. @returns whether there are more */
  readonly #sendNext = (): boolean => {
    const batch: Kept<Sent>[] = [];
    let bytes = 0;
    const { oldest } = this.#outbox;
    if (oldest) this.#nextToResend = Math.max(this.#nextToResend, oldest.number);
    for (
      let kept = this.#outbox.at(this.#nextToResend);
      kept && (batch.length === 0 || bytes + kept.wireBytes <= this.maxBatchBytes);
      kept = this.#outbox.at(++this.#nextToResend)
    ) {
      batch.push(kept);
      bytes += kept.wireBytes;
    }
    if (batch.length === 0) this.#nextToResend = Infinity;
    this.#transmitAll(batch);
    return this.#isSendingAgain;
  };

  readonly #flushBatch = (): void => this.#transmitAll(this.#takeBatch());

  #takeBatch(): Kept<Sent>[] {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#isDue = false;
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    return batch;
  }

  #transmitAll(batch: Kept<Sent>[]): void {
    for (const packet of packetsOf(batch))
      this.#transmit(
        packet[0]!.number,
        packet.map(({ message }) => message),
      );
  }
}

/** Splits messages into as few packets as possible, each with no more Buffers than the parser takes. */
function packetsOf<Sent>(batch: Kept<Sent>[]): Kept<Sent>[][] {
  if (batch.length <= 1) return batch.length === 0 ? [] : [batch];
  const packets: Kept<Sent>[][] = [];
  let freeBuffers = 0;
  for (const kept of batch) {
    if (packets.length === 0 || kept.buffers > freeBuffers) {
      packets.push([]);
      freeBuffers = MAX_BUFFERS;
    }
    packets.at(-1)!.push(kept);
    freeBuffers -= kept.buffers;
  }
  return packets;
}
