/**
 * A conversation that outlives its connections. Both sides number their messages and keep them until the other has told
 * that they arrived; after a reconnection they send again what did not. So each message arrives once and in order, or the
 * session is over. Where too many wait, a side that can tell the present state instead ({@link Recovery}) does that.
 */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { MAX_BUFFERS } from './codec.ts';
import { Inbox } from './inbox.ts';
import { measure, type Measure } from './measure.ts';
import { MemoryAccount } from './memory.ts';
import { turns } from '../../core/turns.ts';
import { Outbox, type Kept } from './outbox.ts';

/** The part of a socket.io socket that is needed, and that client and server have in common. */
export interface Socket {
  emit(event: 'message', number: number, received: number, ...messages: unknown[]): unknown;
  emit(event: 'acknowledge', received: number): unknown;
  on(event: 'message', listener: (number: number, received: number, ...messages: never[]) => void): unknown;
  on(event: 'acknowledge', listener: (received: number) => void): unknown;
  removeAllListeners(event: 'message' | 'acknowledge'): unknown;
  /** @param close the connection too: a client does that by itself */
  disconnect(close?: boolean): unknown;
}

/** When nothing is said that could carry it, the other side is told this often that its messages have arrived. */
const ACKNOWLEDGE_EVERY = 100;
/** And this often in bytes, so that few large messages are not kept for long by whom they came from. */
const ACKNOWLEDGE_EVERY_BYTES = 262_144;
/** And no later than so long after one has arrived: what is not acknowledged counts as not delivered when a session ends. */
const ACKNOWLEDGE_WITHIN_MS = 200;
/** A peer that leaves more than this unacknowledged is too slow or too long away to catch up. */
const MAX_UNACKNOWLEDGED = 20_000;
/** What is kept for the other side and what waits for this one, in bytes, unless the session is given an account. */
const MAX_BYTES = 64_000_000;
/**
 * Messages that can wait are sent as long as no more than this is underway, in messages and bytes: so they are neither in the way of others, nor do they use up
 * what may be kept for the other side.
 */
const MAX_UNDERWAY = 2000;
const MAX_BYTES_UNDERWAY = 1_000_000;
/** Of what it may keep at most so much is that. */
const SHARE_UNDERWAY = 1 / 8;
/** A side that holds back does not acknowledge more as long as so much waits to be dealt with: so whoever tells it much goes as fast as it can follow. */
const HOLD_BACK_BYTES = 262_144;
/** What several messages in one packet may have together. */
const MAX_BATCH_BYTES = 262_144;

/** On so many connections in a row the same message may be the first that does not arrive: then it is to blame for their ends. */
const MAX_ATTEMPTS = 5;

/** How a side makes up for messages that it could not keep. */
export interface Recovery<Sent> {
  /** What a snapshot makes up for; the rest is kept. */
  isInSnapshot(message: Sent): boolean;
  /** Of what is kept: what ends something, and so comes before the snapshot, which may have another one of the same id. */
  isEnding(message: Sent): boolean;
  /** Sends how things are now, as far as there is {@link Session.hasRoom}. Resolves when all of it has been sent, or is not to be any more. */
  snapshot(): Promise<void>;
}

export interface SessionOptions<Sent> {
  /** Without it, the session ends where too many messages wait. */
  recovery?: Recovery<Sent>;
  /** The account of the bytes that it may keep. */
  memory?: MemoryAccount;
  /** Whether it acknowledges no faster than it deals with what has arrived. */
  holdsBack?: boolean;
}

export type SessionEvents<Received> = {
  /** What a listener throws ends the session: the message was not one that it could do anything with. */
  message: [message: Received, size: Measure];
  /** It is about to fail: the last moment to say something over this socket. */
  failing: [reason: string];
  /** There is room again, after there was none when it was asked. */
  room: [];
  /** It can't go on: the other side does not keep to the protocol, or is too slow. */
  error: [error: Error];
};

export class Session<Sent, Received> extends EnhancedEventEmitter<SessionEvents<Received>> {
  readonly #outbox: Outbox<Sent>;
  /** Messages that have to come after the snapshot. */
  #held: Kept<Sent>[] = [];
  #snapshots = 0;
  #isWaitingForRoom = false;
  readonly #holdsBack: boolean;
  #isHoldingBack = false;
  readonly #memory: MemoryAccount;
  readonly #inbox: Inbox<Received>;
  readonly #isMessage: (message: unknown) => message is Received;
  readonly #recovery: Recovery<Sent> | undefined;
  /** Some messages were not kept: a snapshot has to be sent before anything else. */
  #isBehind = false;
  /** What goes into the next packet. */
  #batch: Kept<Sent>[] = [];
  #batchBytes = 0;
  /** How many bytes of messages a packet may have, if it has several. */
  maxBatchBytes = MAX_BATCH_BYTES;
  #socket: Socket | undefined;
  #sent = 0;
  /** Of what was said before there was this connection, the number of the first that has not been sent again. */
  #next = Infinity;
  #received = 0;
  #acknowledged = 0;
  #unacknowledgedBytes = 0;
  #acknowledging: NodeJS.Timeout | undefined;
  /** The first message that was waiting when there was a new connection, and on how many connections it was that one. */
  #stuck = { number: 0, attempts: 0 };

  /**
   * @param isMessage tells what is a message of the protocol: anything else ends the session
   */
  constructor(isMessage: (message: unknown) => message is Received, options: SessionOptions<Sent> = {}) {
    super();
    const { recovery, memory = new MemoryAccount(MAX_BYTES), holdsBack = false } = options;
    this.#isMessage = isMessage;
    this.#recovery = recovery;
    this.#memory = memory;
    this.#holdsBack = holdsBack;
    this.#outbox = new Outbox(memory);
    // Where answers pile up since nobody reads them, there is no use in making more.
    this.#inbox = new Inbox(memory, (message, size) => this.#deliver(message, size), () => this.#outbox.bytes > memory.max / 2);
  }

  /** How many messages have arrived here: what the other side has to know in order to go on. */
  get received(): number {
    return this.#received;
  }

  /** Resolves when all that has arrived has been dealt with. */
  async untilDelivered(): Promise<void> {
    await this.#inbox.untilEmpty();
  }

  /** What the other side has not told to have arrived there, the oldest first. */
  get unacknowledged(): Sent[] {
    return [...this.#outbox, ...this.#held].map(({ message }) => message);
  }

  /** Whether what can wait may be sent now. If not, `room` is emitted when it may. */
  get hasRoom(): boolean {
    const maxBytes = Math.min(MAX_BYTES_UNDERWAY, this.#memory.max * SHARE_UNDERWAY);
    const hasRoom = this.#socket !== undefined && this.#outbox.length < MAX_UNDERWAY && this.#outbox.bytes < maxBytes;
    this.#isWaitingForRoom ||= !hasRoom;
    return hasRoom;
  }

  /** The number of the latest message of which the other side has told that it has arrived there. */
  get delivered(): number {
    return (this.#outbox.oldest?.number ?? this.#sent + 1) - 1;
  }

  /**
   * Queued while there is no connection.
   * @param wireBytes its size, where the other side takes packets of a limited size only
   * @param size of the message, where it is known
   * @returns its number
   */
  send(message: Sent, wireBytes?: number, size?: Measure): number {
    if (this.#isBehind && this.#recovery?.isInSnapshot(message)) return this.#sent;
    const { bytes, buffers } = size ?? measure(message);
    const isSendingAgain = this.#isSendingAgain;
    const kept = { number: ++this.#sent, message, bytes, wireBytes: wireBytes ?? bytes, buffers };
    this.#outbox.push(kept);
    if (!isSendingAgain) this.#collect(kept);
    if (this.#outbox.length > MAX_UNACKNOWLEDGED || this.#memory.isOver()) this.#fallBehind();
    return kept.number;
  }

  /** To be called before the first connection: these messages go ahead of all that are queued. */
  sendFirst(messages: readonly Sent[]): void {
    const first = messages.map(message => {
      const { bytes, buffers } = measure(message);
      return { message, bytes, wireBytes: bytes, buffers };
    });
    this.#outbox.replace([...first, ...this.#outbox].map((kept, index) => ({ ...kept, number: index + 1 })));
    this.#sent = this.#outbox.length;
  }

  isAttachedTo(socket: Socket): boolean {
    return this.#socket === socket;
  }

  /** Goes on over this socket, where the other side has so far received so many messages. */
  attach(socket: Socket, receivedByPeer: number): void {
    this.detach();
    this.#socket = socket;
    socket.on('message', this.#onMessage);
    socket.on('acknowledge', this.#onAcknowledge);
    this.#onAcknowledge(receivedByPeer);
    this.#giveUpIfStuck();
    const isCatchingUp = this.#isBehind && this.#socket !== undefined;
    if (isCatchingUp) this.#catchUp(receivedByPeer);
    this.#sendAgain();
    if (isCatchingUp) void this.#tellState();
    this.#tellOfRoom();
  }

  /** Nothing is kept or delivered any more. @returns what has arrived, and was not dealt with */
  close(): Received[] {
    this.detach();
    this.#outbox.replace([]);
    this.#release();
    ++this.#snapshots;
    return this.#inbox.clear();
  }

  detach(): void {
    clearTimeout(this.#acknowledging);
    this.#acknowledging = undefined;
    this.#socket?.removeAllListeners('message');
    this.#socket?.removeAllListeners('acknowledge');
    this.#socket = undefined;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#next = Infinity;
    turns.delete(this.#sendNext);
  }

  /** What is said in one go travels in one packet: each costs both sides a call of the system. */
  #collect(kept: Kept<Sent>): void {
    if (!this.#socket) return;
    this.#next = kept.number + 1;
    if (this.#batchBytes + kept.wireBytes > this.maxBatchBytes) this.#flushBatch();
    if (this.#batch.length === 0) process.nextTick(this.#flushBatch);
    this.#batch.push(kept);
    this.#batchBytes += kept.wireBytes;
  }

  /** Sends again all that has not arrived, at once as far as there is time. */
  #sendAgain(): void {
    this.#next = this.#outbox.oldest?.number ?? this.#sent + 1;
    if (!this.#isSendingAgain) return;
    while (this.#sendNext() && turns.hasTime);
    if (this.#isSendingAgain) turns.add(this.#sendNext);
  }

  /** Whether new messages have to wait for those that are sent again. */
  get #isSendingAgain(): boolean {
    return this.#next <= this.#sent;
  }

  /** Sends one more packet. @returns whether there is more */
  readonly #sendNext = (): boolean => {
    const batch: Kept<Sent>[] = [];
    let bytes = 0;
    const { oldest } = this.#outbox;
    if (oldest) this.#next = Math.max(this.#next, oldest.number);
    for (let kept = this.#outbox.at(this.#next); kept && (batch.length === 0 || bytes + kept.wireBytes <= this.maxBatchBytes); kept = this.#outbox.at(++this.#next)) {
      batch.push(kept);
      bytes += kept.wireBytes;
    }
    if (batch.length === 0) this.#next = Infinity;
    this.#transmitAll(batch);
    return this.#isSendingAgain;
  };

  /** Sends at once what waits for the next packet. */
  flush(): void {
    while (this.#isSendingAgain) this.#sendNext();
    this.#flushBatch();
  }

  readonly #flushBatch = (): void => {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#transmitAll(batch);
  };

  #transmitAll(batch: Kept<Sent>[]): void {
    for (const packet of packetsOf(batch)) this.#transmit(packet[0]!.number, packet.map(({ message }) => message));
  }

  #transmit(number: number, messages: Sent[]): void {
    if (!this.#socket) return;
    if (!this.#mustHoldBack) this.#noteAcknowledged();
    this.#socket.emit('message', number, this.#acknowledged, ...messages);
  }

  readonly #onMessage = (first: number, receivedByPeer: number, ...messages: unknown[]): void => {
    this.#onAcknowledge(receivedByPeer);
    for (const [index, message] of messages.entries()) {
      // What came before may have been the end.
      if (!this.#socket) return;
      this.#receive(first + index, message);
    }
  };

  #receive(number: number, message: unknown): void {
    if (number <= this.#received) return;
    if (!this.#isMessage(message)) return this.#fail('a malformed message');
    if (number !== this.#received + 1) return this.#fail(`message ${number} came after message ${this.#received}`);
    this.#received = number;
    const size = measure(message);
    this.#unacknowledgedBytes += size.bytes;
    if (number - this.#acknowledged >= ACKNOWLEDGE_EVERY || this.#unacknowledgedBytes >= ACKNOWLEDGE_EVERY_BYTES) this.#acknowledge();
    else this.#acknowledging ??= setTimeout(() => this.#acknowledge(), ACKNOWLEDGE_WITHIN_MS).unref();
    this.#inbox.add(message, size);
    if (!this.#inbox.isEmpty && this.#memory.isOver()) this.#fail('more has arrived than can be kept until it is dealt with');
  }

  #deliver(message: Received, size: Measure): void {
    try {
      this.emit('message', message, size);
    } catch (error) {
      return this.#fail(`a message that can't be dealt with: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (this.#isHoldingBack && !this.#mustHoldBack) this.#acknowledge();
  }

  get #mustHoldBack(): boolean {
    return this.#holdsBack && this.#inbox.bytes > HOLD_BACK_BYTES;
  }

  #acknowledge(): void {
    this.#isHoldingBack = this.#mustHoldBack;
    if (this.#isHoldingBack) return;
    this.#noteAcknowledged();
    this.#socket?.emit('acknowledge', this.#received);
  }

  #noteAcknowledged(): void {
    clearTimeout(this.#acknowledging);
    this.#acknowledging = undefined;
    this.#acknowledged = this.#received;
    this.#unacknowledgedBytes = 0;
  }

  readonly #onAcknowledge = (received: number): void => {
    if (!Number.isInteger(received) || received > this.#sent) return this.#fail('an acknowledgement of what was never sent');
    this.#outbox.forgetUpTo(received);
    this.#inbox.run();
    this.#tellOfRoom();
  };

  #tellOfRoom(): void {
    if (!this.#isWaitingForRoom) return;
    this.#isWaitingForRoom = false;
    if (this.hasRoom) this.emit('room');
  }

  /** A message that breaks each connection on which it is sent would be sent for ever. */
  #giveUpIfStuck(): void {
    if (!this.#socket) return;
    const number = this.#outbox.oldest?.number ?? 0;
    const attempts = number > 0 && number === this.#stuck.number ? this.#stuck.attempts + 1 : 0;
    this.#stuck = { number, attempts };
    if (attempts >= MAX_ATTEMPTS) this.#fail(`message ${number} was lost with ${attempts} connections`);
  }

  /** Keeps only what a snapshot can't make up for. A connection that is too slow is given up: the next one begins with it. */
  #fallBehind(): void {
    const recovery = this.#recovery;
    if (recovery) this.#outbox.replace([...this.#outbox].filter(({ message }) => !recovery.isInSnapshot(message)));
    const isTooMuch = this.#outbox.length + this.#held.length > MAX_UNACKNOWLEDGED / 2 || this.#memory.isOver(this.#outbox.bytes);
    if (!recovery || isTooMuch) return this.#fail('too many messages are waiting for the other side, or too large ones');
    this.#isBehind = true;
    ++this.#snapshots;
    this.#socket?.disconnect(true);
    this.detach();
  }

  /** What the other side has not received it knows nothing of, not even the numbers: they begin anew after what it has. */
  #catchUp(receivedByPeer: number): void {
    const recovery = this.#recovery!;
    const waiting = [...this.#outbox];
    // Messages that were held back when it fell behind once more are older.
    const held = [...this.#release(), ...waiting.filter(({ message }) => !recovery.isEnding(message))];
    const ending = waiting.filter(({ message }) => recovery.isEnding(message));
    this.#isBehind = false;
    this.#outbox.replace(ending.map((kept, index) => ({ ...kept, number: receivedByPeer + 1 + index })));
    this.#sent = receivedByPeer + ending.length;
    this.#held = held;
    for (const { bytes } of held) this.#memory.add(bytes);
  }

  /** And then what was held back. */
  async #tellState(): Promise<void> {
    const snapshot = ++this.#snapshots;
    await this.#recovery?.snapshot();
    if (this.#snapshots === snapshot) for (const { message } of this.#release()) this.send(message);
  }

  /** @returns what was held back, which is not counted from now on */
  #release(): Kept<Sent>[] {
    const held = this.#held;
    this.#held = [];
    for (const { bytes } of held) this.#memory.add(-bytes);
    return held;
  }

  #fail(reason: string): void {
    const socket = this.#socket;
    this.close();
    if (socket) this.emit('failing', reason);
    socket?.disconnect(true);
    this.emit('error', new Error(`the session can't go on: ${reason}`));
  }
}

/** As few packets as there can be, each with no more Buffers than the parser takes. */
function packetsOf<Sent>(batch: Kept<Sent>[]): Kept<Sent>[][] {
  if (batch.length <= 1) return batch.length === 0 ? [] : [batch];
  const packets: Kept<Sent>[][] = [];
  let left = 0;
  for (const kept of batch) {
    if (packets.length === 0 || kept.buffers > left) {
      packets.push([]);
      left = MAX_BUFFERS;
    }
    packets.at(-1)!.push(kept);
    left -= kept.buffers;
  }
  return packets;
}
