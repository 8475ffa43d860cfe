/**
 * Reliable, ordered exchange of messages that outlives its connections. Both sides number their messages and keep them
 * until the other has acknowledged them; after a reconnection they send the unacknowledged messages again. So each
 * message arrives once and in order, or the session ends. If too many wait, a side with a {@link Recovery} sends a
 * snapshot of the present state instead.
 */
import { EventEmitter } from 'eventemitter3';
import { Acknowledgements } from './acknowledgements.ts';
import { Inbox } from './inbox.ts';
import { measure, type Measure } from './measure.ts';
import { sizeOfArrived } from './wireText.ts';
import { MemoryAccount } from './memory.ts';
import { Outbox, type Kept } from './outbox.ts';
import { Transmitter } from './transmitter.ts';

/** Members of a socket.io socket that the session needs, and that client and server have in common. */
export interface Socket {
  emit(event: 'message', number: number, received: number, ...messages: unknown[]): unknown;
  emit(event: 'acknowledge', received: number): unknown;
  on(event: 'message', listener: (number: number, received: number, ...messages: never[]) => void): unknown;
  on(event: 'acknowledge', listener: (received: number) => void): unknown;
  removeAllListeners(event: 'message' | 'acknowledge'): unknown;
  /** @param close whether to close the connection too, which a client does anyway */
  disconnect(close?: boolean): unknown;
}

/** Number of unacknowledged messages from which on the other side is too slow, or too long away, to catch up. */
const MAX_UNACKNOWLEDGED = 20_000;
/** Default limit of the bytes kept for the other side and waiting for this side, if the session is given no account. */
const MAX_BYTES = 64_000_000;
/**
 * Limits, in messages and bytes, of unacknowledged messages up to which messages that can wait are sent. So they
 * neither delay others, nor use up the memory for the other side.
 */
const MAX_UNDERWAY = 2000;
const MAX_BYTES_UNDERWAY = 1_000_000;
/** Limit of the same as a share of the memory account. */
const SHARE_UNDERWAY = 1 / 8;
/**
 * Bytes of undelivered messages from which on a side that holds back stops acknowledging, so that the sender of many
 * messages goes only as fast as this side can follow.
 */
const HOLD_BACK_BYTES = 262_144;
/** Time for which a message has waited undelivered, in ms, from which on it does so too. */
const HOLD_BACK_MS = 250;

/**
 * Number of connections in a row with the same first undelivered message, after which it is taken for the cause of
 * their ends.
 */
const MAX_ATTEMPTS = 5;

/** Replacement of messages that a side could not keep by a snapshot. */
export interface Recovery<Sent> {
  /** Whether a snapshot makes up for the message; other messages are kept. */
  isInSnapshot(message: Sent): boolean;
  /**
   * Whether a kept message ends an object, and so goes before the snapshot, which may have another object of its id.
   */
  isEnding(message: Sent): boolean;
  /** Sends the present state, no faster than {@link Session.hasRoom} allows. Resolves when that has ended. */
  snapshot(): Promise<void>;
}

export interface SessionOptions<Sent> {
  /** Recovery by a snapshot; without it, the session ends when too many messages wait. */
  recovery?: Recovery<Sent>;
  /** Account of the bytes that the session keeps; default: a limit of 64,000,000 bytes. */
  memory?: MemoryAccount;
  /** Whether it acknowledges messages no faster than it delivers them. */
  holdsBack?: boolean;
}

export type SessionEvents<Received> = {
  /** An error thrown by a listener ends the session, since the message can't be processed. */
  message: [message: Received, size: Measure];
  /** Emitted before the session fails, while the socket can still send a last event. */
  failing: [reason: string];
  /** Emitted when there is room again, after {@link Session.hasRoom} was false. */
  room: [];
  /** The session has failed: the other side breaks the protocol, or is too slow. */
  error: [error: Error];
};

export class Session<Sent, Received> extends EventEmitter<SessionEvents<Received>> {
  readonly #outbox: Outbox<Sent>;
  readonly #transmitter: Transmitter<Sent>;
  /** Messages that must follow the snapshot. */
  #held: Kept<Sent>[] = [];
  #snapshots = 0;
  #isWaitingForRoom = false;
  readonly #acknowledgements: Acknowledgements;
  /** Number of promises that delivery waits for. */
  #holds = 0;
  readonly #memory: MemoryAccount;
  readonly #inbox: Inbox<Received>;
  readonly #isMessage: (message: unknown) => message is Received;
  readonly #recovery: Recovery<Sent> | undefined;
  /** Whether messages were dropped, so that a snapshot must be sent before anything else. */
  #isBehind = false;
  #socket: Socket | undefined;
  #sent = 0;
  #transmitted = 0;
  /**
   * First message that waited at the latest connection, and the number of further connections at which it was first.
   */
  #firstUndelivered = { number: 0, attempts: 0 };

  /**
   * @param isMessage checks a received message; anything else ends the session
   */
  constructor(isMessage: (message: unknown) => message is Received, options: SessionOptions<Sent> = {}) {
    super();
    const { recovery, memory = new MemoryAccount(MAX_BYTES), holdsBack = false } = options;
    this.#isMessage = isMessage;
    this.#recovery = recovery;
    this.#memory = memory;
    this.#outbox = new Outbox(memory);
    this.#transmitter = new Transmitter(this.#outbox, (number, messages) => this.#transmit(number, messages));
    // Delivery is held up while answers pile up unread, since it would make more of them, and while a message has not
    // been dealt with.
    this.#inbox = new Inbox(
      memory,
      (message, size) => this.#deliver(message, size),
      () => this.#holds > 0 || this.#outbox.bytes > memory.max / 2,
    );
    this.#acknowledgements = new Acknowledgements({
      send: received => void this.#socket?.emit('acknowledge', received),
      mustHoldBack: () => holdsBack && this.#isDeliveryLate,
    });
  }

  /** Sets the limit of the bytes in a packet that has several messages. */
  set maxBatchBytes(bytes: number) {
    this.#transmitter.maxBatchBytes = bytes;
  }

  /** Number of messages that have arrived, which the other side needs in order to go on. */
  get received(): number {
    return this.#acknowledgements.received;
  }

  /** Resolves when all messages that have arrived are delivered. */
  async untilDelivered(): Promise<void> {
    await this.#inbox.untilEmpty();
  }

  /** Messages that the other side has not acknowledged, with their numbers, the oldest first. */
  get kept(): Iterable<Readonly<Pick<Kept<Sent>, 'number' | 'message'>>> {
    return [...this.#outbox];
  }

  /** Number of the latest message that was put on a connection: the other side has none after it. */
  get transmitted(): number {
    return this.#transmitted;
  }

  /** Messages that the other side has not acknowledged, the oldest first. */
  get unacknowledged(): Sent[] {
    return [...this.#outbox, ...this.#held].map(({ message }) => message);
  }

  /** Whether messages that can wait may be sent now. If not, `room` is emitted when they may. */
  get hasRoom(): boolean {
    const maxBytes = Math.min(MAX_BYTES_UNDERWAY, this.#memory.max * SHARE_UNDERWAY);
    const hasRoom = this.#socket !== undefined && this.#outbox.length < MAX_UNDERWAY && this.#outbox.bytes < maxBytes;
    this.#isWaitingForRoom ||= !hasRoom;
    return hasRoom;
  }

  /** Age of the oldest message that the other side has not acknowledged, in ms; 0 if there is none. */
  get lagMs(): number {
    const { oldest } = this.#outbox;
    return oldest ? performance.now() - oldest.at : 0;
  }

  /** Messages that the other side has not acknowledged, as a share of those that may wait for it. */
  get backlog(): number {
    return this.#outbox.length / MAX_UNACKNOWLEDGED;
  }

  /** Number of the latest message that the other side has acknowledged. */
  get delivered(): number {
    return (this.#outbox.oldest?.number ?? this.#sent + 1) - 1;
  }

  /**
   * Sends a message, or queues it while there is no connection.
   * @param wireBytes its size in a packet, where the other side limits the size of packets
   * @param size of the message, if it has been measured already
   * @param canWait whether it may wait a moment, so that it shares a packet with a message that follows
   * @returns its number
   */
  send(message: Sent, wireBytes?: number, size?: Measure, canWait = false): number {
    if (this.#isBehind && this.#recovery?.isInSnapshot(message)) return this.#sent;
    const { bytes, buffers } = size ?? measure(message);
    const at = performance.now();
    const kept = { number: ++this.#sent, message, at, bytes, wireBytes: wireBytes ?? bytes, buffers };
    this.#outbox.push(kept);
    this.#transmitter.add(kept, canWait);
    if (this.#outbox.length > MAX_UNACKNOWLEDGED || this.#memory.isOver()) this.#fallBehind();
    return kept.number;
  }

  /** Puts messages ahead of all queued messages. To be called before the first connection. */
  sendFirst(messages: readonly Sent[]): void {
    const first = messages.map(message => {
      const { bytes, buffers } = measure(message);
      return { message, at: performance.now(), bytes, wireBytes: bytes, buffers };
    });
    this.#outbox.replace([...first, ...this.#outbox].map((kept, index) => ({ ...kept, number: index + 1 })));
    this.#sent = this.#outbox.length;
  }

  isAttachedTo(socket: Socket): boolean {
    return this.#socket === socket;
  }

  /** Continues over this socket. @param receivedByPeer number of messages that the other side has received so far */
  attach(socket: Socket, receivedByPeer: number): void {
    this.detach();
    this.#socket = socket;
    socket.on('message', this.#onMessage);
    socket.on('acknowledge', this.#onAcknowledge);
    this.#onAcknowledge(receivedByPeer);
    this.#giveUpIfStuck();
    if (!this.#socket) return;
    const isCatchingUp = this.#isBehind;
    if (isCatchingUp) this.#catchUp(receivedByPeer);
    this.#transmitter.start(this.#sent);
    if (isCatchingUp) void this.#sendSnapshot();
    this.#announceRoom();
  }

  /** Sends all waiting messages at once. */
  flush(): void {
    this.#transmitter.flush();
  }

  /** Holds up the delivery of further messages until the promise has resolved. */
  async holdUp(until: Promise<void>): Promise<void> {
    ++this.#holds;
    await until;
    --this.#holds;
    this.#inbox.run();
  }

  /** Drops all messages. @returns messages that have arrived and were not delivered */
  close(): Received[] {
    this.detach();
    this.#outbox.replace([]);
    this.#release();
    ++this.#snapshots;
    return this.#inbox.clear();
  }

  detach(): void {
    this.#acknowledgements.stop();
    this.#socket?.removeAllListeners('message');
    this.#socket?.removeAllListeners('acknowledge');
    this.#socket = undefined;
    this.#transmitter.stop();
  }

  #transmit(number: number, messages: Sent[]): void {
    if (!this.#socket) return;
    this.#transmitted = Math.max(this.#transmitted, number + messages.length - 1);
    this.#socket.emit('message', number, this.#acknowledgements.carry(), ...messages);
  }

  readonly #onMessage = (first: number, receivedByPeer: number, ...messages: unknown[]): void => {
    this.#onAcknowledge(receivedByPeer);
    for (const [index, message] of messages.entries()) {
      // The message before it may have ended the session.
      if (!this.#socket) return;
      this.#receive(first + index, message);
    }
  };

  #receive(number: number, message: unknown): void {
    const { received } = this;
    if (number <= received) return;
    if (!this.#isMessage(message)) return this.#fail('a malformed message');
    if (number !== received + 1) return this.#fail(`message ${number} came after message ${received}`);
    const size = sizeOfArrived(message);
    this.#acknowledgements.arrived(size.bytes);
    this.#inbox.add(message, size);
    if (!this.#inbox.isEmpty && this.#memory.isOver())
      this.#fail('more has arrived than can be kept until it is dealt with');
  }

  #deliver(message: Received, size: Measure): void {
    try {
      this.emit('message', message, size);
    } catch (error) {
      return this.#fail(
        `a message that can't be dealt with: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    this.#acknowledgements.delivered();
  }

  get #isDeliveryLate(): boolean {
    return this.#inbox.bytes > HOLD_BACK_BYTES || this.#inbox.lagMs > HOLD_BACK_MS;
  }

  readonly #onAcknowledge = (received: number): void => {
    if (!Number.isInteger(received) || received > this.#sent)
      return this.#fail('an acknowledgement of what was never sent');
    this.#outbox.forgetUpTo(received);
    this.#inbox.run();
    this.#announceRoom();
  };

  #announceRoom(): void {
    if (!this.#isWaitingForRoom) return;
    this.#isWaitingForRoom = false;
    if (this.hasRoom) this.emit('room');
  }

  /** Ends the session if the same message was lost on several connections: it may break each of them. */
  #giveUpIfStuck(): void {
    if (!this.#socket) return;
    const number = this.#outbox.oldest?.number ?? 0;
    const attempts = number > 0 && number === this.#firstUndelivered.number ? this.#firstUndelivered.attempts + 1 : 0;
    this.#firstUndelivered = { number, attempts };
    if (attempts >= MAX_ATTEMPTS) this.#fail(`message ${number} was lost with ${attempts} connections`);
  }

  /**
   * Keeps only messages that a snapshot can't replace, and closes the slow connection: the next begins with the
   * snapshot.
   */
  #fallBehind(): void {
    const recovery = this.#recovery;
    if (recovery) this.#outbox.replace([...this.#outbox].filter(({ message }) => !recovery.isInSnapshot(message)));
    const isTooMuch =
      this.#outbox.length + this.#held.length > MAX_UNACKNOWLEDGED / 2 || this.#memory.isOver(this.#outbox.bytes);
    if (!recovery || isTooMuch)
      return this.#fail('too many messages are waiting for the other side, or too large ones');
    this.#isBehind = true;
    ++this.#snapshots;
    this.#socket?.disconnect(true);
    this.detach();
  }

  /** Renumbers the kept messages, after the last that the other side has received: dropped messages leave no gap. */
  #catchUp(receivedByPeer: number): void {
    const recovery = this.#recovery!;
    const waiting = [...this.#outbox];
    // Messages held back for an unfinished snapshot are older.
    const held = [...this.#release(), ...waiting.filter(({ message }) => !recovery.isEnding(message))];
    const ending = waiting.filter(({ message }) => recovery.isEnding(message));
    this.#isBehind = false;
    this.#outbox.replace(ending.map((kept, index) => ({ ...kept, number: receivedByPeer + 1 + index })));
    this.#sent = receivedByPeer + ending.length;
    this.#held = held;
    for (const { bytes } of held) this.#memory.add(bytes);
  }

  /** Sends the snapshot, then the messages that must follow it. */
  async #sendSnapshot(): Promise<void> {
    const snapshot = ++this.#snapshots;
    await this.#recovery?.snapshot();
    if (this.#snapshots === snapshot) for (const { message } of this.#release()) this.send(message);
  }

  /** @returns the messages that were held back, which no longer count */
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
