/**
 * Acknowledgements of what has arrived: carried by this side's messages, or sent by themselves if it has nothing to
 * say. A side that holds back acknowledges no faster than it delivers.
 */

/** Number of received messages after which they are acknowledged, if no message has carried the acknowledgement. */
const EVERY = 100;
/**
 * Bytes of received messages after which they are acknowledged, so that the sender does not keep large messages for
 * long.
 */
const EVERY_BYTES = 262_144;
/** Time limit of an acknowledgement, in ms: unacknowledged messages count as not delivered when a session ends. */
const WITHIN_MS = 200;

export interface AcknowledgementsOptions {
  /** Sends an acknowledgement by itself, if there is a connection. */
  send: (received: number) => void;
  /** Whether nothing may be acknowledged now, since delivery lags behind. */
  mustHoldBack: () => boolean;
}

export class Acknowledgements {
  readonly #options: AcknowledgementsOptions;
  #received = 0;
  #acknowledged = 0;
  #unacknowledgedBytes = 0;
  #isHoldingBack = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
  }

  /** Number of messages that have arrived. */
  get received(): number {
    return this.#received;
  }

  /** Returns the number to acknowledge with a message of this side. */
  carry(): number {
    if (!this.#options.mustHoldBack()) this.#note();
    return this.#acknowledged;
  }

  /** Notes the arrival of the next message, before it is delivered. */
  arrived(bytes: number): void {
    ++this.#received;
    this.#unacknowledgedBytes += bytes;
    const isDue = this.#received - this.#acknowledged >= EVERY || this.#unacknowledgedBytes >= EVERY_BYTES;
    if (isDue) this.#acknowledge();
    else this.#timer ??= setTimeout(this.#acknowledgeRest, WITHIN_MS).unref();
  }

  /** Acknowledges what was held back, if delivery has caught up. Must be called after each delivery. */
  delivered(): void {
    if (this.#isHoldingBack && !this.#options.mustHoldBack()) this.#acknowledge();
  }

  /** Stops the timer. Must be called when the connection is lost. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #acknowledge(): void {
    this.#isHoldingBack = this.#options.mustHoldBack();
    if (this.#isHoldingBack) return;
    this.#note();
    this.#options.send(this.#received);
  }

  /** Acknowledges what no message has acknowledged meanwhile: the timer runs on, rather than anew for each message. */
  readonly #acknowledgeRest = (): void => {
    this.#timer = undefined;
    if (this.#acknowledged < this.#received) this.#acknowledge();
  };

  #note(): void {
    this.#acknowledged = this.#received;
    this.#unacknowledgedBytes = 0;
  }
}
