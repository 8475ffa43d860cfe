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

/** The part of a socket.io socket that is needed, and that client and server have in common. */
export interface Socket {
  emit(event: string, ...args: unknown[]): unknown;
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
  snapshot(): Sent[];
}

export type SessionEvents<Received> = {
  /** What a listener throws ends the session: the message was not one that it could do anything with. */
  message: [message: Received, size: Measure];
  /** It is about to fail: the last moment to say something over this socket. */
  failing: [socket: Socket, reason: string];
  /** It can't go on: the other side does not keep to the protocol, or is too slow. */
  error: [error: Error];
};

interface Kept<Sent> {
  number: number;
  message: Sent;
  bytes: number;
  buffers: number;
}

export class Session<Sent, Received> extends EnhancedEventEmitter<SessionEvents<Received>> {
  #outbox: Kept<Sent>[] = [];
  #outboxBytes = 0;
  readonly #memory: MemoryAccount;
  readonly #inbox: Inbox<Received>;
  readonly #isMessage: (message: unknown) => message is Received;
  readonly #recovery: Recovery<Sent> | undefined;
  /** Some messages were not kept: a snapshot has to be sent before anything else. */
  #isBehind = false;
  /** How many may wait: a snapshot comes on top. */
  #limit = MAX_UNACKNOWLEDGED;
  /** How many bytes of what waits are that snapshot. */
  #snapshotBytes = 0;
  /** What goes into the next packet. */
  #batch: Kept<Sent>[] = [];
  #batchBytes = 0;
  /** How many bytes of messages a packet may have, if it has several. */
  maxBatchBytes = MAX_BATCH_BYTES;
  #socket: Socket | undefined;
  #sent = 0;
  #received = 0;
  #acknowledged = 0;
  #unacknowledgedBytes = 0;
  #acknowledging: NodeJS.Timeout | undefined;
  /** The first message that was waiting when there was a new connection, and on how many connections it was that one. */
  #stuck = { number: 0, attempts: 0 };

  /**
   * @param isMessage tells what is a message of the protocol: anything else ends the session
   * @param recovery without it, the session ends where too many messages wait
   * @param memory what it may keep
   */
  constructor(isMessage: (message: unknown) => message is Received, recovery?: Recovery<Sent>, memory = new MemoryAccount(MAX_BYTES)) {
    super();
    this.#isMessage = isMessage;
    this.#recovery = recovery;
    this.#memory = memory;
    // Where answers pile up since nobody reads them, there is no use in making more.
    this.#inbox = new Inbox(memory, (message, size) => this.#deliver(message, size), () => this.#outboxBytes - this.#snapshotBytes > memory.max / 2);
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
    return this.#outbox.map(({ message }) => message);
  }

  /** The number of the latest message of which the other side has told that it has arrived there. */
  get delivered(): number {
    return (this.#outbox[0]?.number ?? this.#sent + 1) - 1;
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
    const packetBytes = wireBytes ?? bytes;
    if (this.#batchBytes + packetBytes > this.maxBatchBytes) this.flush();
    const kept = { number: ++this.#sent, message, bytes, buffers };
    this.#outbox.push(kept);
    this.#count(bytes);
    this.#collect(kept, packetBytes);
    if (this.#outbox.length > this.#limit || this.#memory.isOver(-this.#snapshotBytes)) this.#fallBehind();
    return kept.number;
  }

  /** To be called before the first connection: these messages go ahead of all that are queued. */
  sendFirst(messages: readonly Sent[]): void {
    const first = messages.map(message => ({ message, ...measure(message) }));
    this.#keep([...first, ...this.#outbox].map((kept, index) => ({ ...kept, number: index + 1 })));
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
    if (this.#isBehind && this.#socket) this.#catchUp(receivedByPeer);
    for (const { number, message } of this.#outbox) this.#transmit(number, [message]);
  }

  /** Nothing is kept or delivered any more. @returns what has arrived, and was not dealt with */
  close(): Received[] {
    this.detach();
    this.#keep([]);
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
  }

  /** What is said in one go travels in one packet: each costs both sides a call of the system. */
  #collect(kept: Kept<Sent>, bytes: number): void {
    if (!this.#socket) return;
    if (this.#batch.length === 0) process.nextTick(this.flush);
    this.#batch.push(kept);
    this.#batchBytes += bytes;
  }

  /** Sends at once what waits for the next packet. */
  readonly flush = (): void => {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    for (const packet of packetsOf(batch)) this.#transmit(packet[0]!.number, packet.map(({ message }) => message));
  };

  /** From now on this is what waits, and nothing else. */
  #keep(outbox: Kept<Sent>[]): void {
    this.#outbox = outbox;
    this.#count(outbox.reduce((sum, { bytes }) => sum + bytes, 0) - this.#outboxBytes);
  }

  #count(bytes: number): void {
    this.#outboxBytes += bytes;
    this.#memory.add(bytes);
  }

  #transmit(number: number, messages: Sent[]): void {
    if (!this.#socket) return;
    this.#acknowledged = this.#received;
    this.#unacknowledgedBytes = 0;
    clearTimeout(this.#acknowledging);
    this.#acknowledging = undefined;
    this.#socket.emit('message', number, this.#received, ...messages);
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
    if (!this.#inbox.isEmpty && this.#memory.isOver(-this.#snapshotBytes)) this.#fail('more has arrived than can be kept until it is dealt with');
  }

  #deliver(message: Received, size: Measure): void {
    try {
      this.emit('message', message, size);
    } catch (error) {
      this.#fail(`a message that can't be dealt with: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #acknowledge(): void {
    clearTimeout(this.#acknowledging);
    this.#acknowledging = undefined;
    this.#acknowledged = this.#received;
    this.#unacknowledgedBytes = 0;
    this.#socket?.emit('acknowledge', this.#received);
  }

  readonly #onAcknowledge = (received: number): void => {
    if (!Number.isInteger(received) || received > this.#sent) return this.#fail('an acknowledgement of what was never sent');
    while (this.#outbox.length > 0 && this.#outbox[0]!.number <= received) this.#count(-this.#outbox.shift()!.bytes);
    if (this.#outbox.length === 0) {
      this.#limit = MAX_UNACKNOWLEDGED;
      this.#snapshotBytes = 0;
    }
    this.#inbox.run();
  };

  /** A message that breaks each connection on which it is sent would be sent for ever. */
  #giveUpIfStuck(): void {
    if (!this.#socket) return;
    const number = this.#outbox[0]?.number ?? 0;
    const attempts = number > 0 && number === this.#stuck.number ? this.#stuck.attempts + 1 : 0;
    this.#stuck = { number, attempts };
    if (attempts >= MAX_ATTEMPTS) this.#fail(`message ${number} was lost with ${attempts} connections`);
  }

  /** Keeps only what a snapshot can't make up for. A connection that is too slow is given up: the next one begins with it. */
  #fallBehind(): void {
    const recovery = this.#recovery;
    if (recovery) this.#keep(this.#outbox.filter(({ message }) => !recovery.isInSnapshot(message)));
    this.#snapshotBytes = 0;
    const isTooMuch = this.#outbox.length > MAX_UNACKNOWLEDGED / 2 || this.#memory.isOver(this.#outboxBytes);
    if (!recovery || isTooMuch) return this.#fail('too many messages are waiting for the other side, or too large ones');
    this.#isBehind = true;
    this.#socket?.disconnect(true);
    this.detach();
  }

  /** What the other side has not received it knows nothing of, not even the numbers: they begin anew after what it has. */
  #catchUp(receivedByPeer: number): void {
    const recovery = this.#recovery!;
    const kept = this.#outbox.map(({ message }) => message);
    const messages = [...kept.filter(message => recovery.isEnding(message)), ...recovery.snapshot(), ...kept.filter(message => !recovery.isEnding(message))];
    this.#isBehind = false;
    this.#keep(
      messages.map((message, index) => {
        const { bytes, buffers } = measure(message);
        return { number: receivedByPeer + 1 + index, message, bytes, buffers };
      }),
    );
    this.#sent = receivedByPeer + messages.length;
    this.#limit = messages.length + MAX_UNACKNOWLEDGED;
    this.#snapshotBytes = this.#outboxBytes;
  }

  #fail(reason: string): void {
    const socket = this.#socket;
    this.close();
    if (socket) this.emit('failing', socket, reason);
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
