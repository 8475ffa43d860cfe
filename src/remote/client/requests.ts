/**
 * Requests of the mirrors, in the session that carries them: calls and their answers, closes that have to arrive, and
 * what waits while the client moves to another server.
 */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { LimitError } from '../../api/errors.ts';
import { logger } from '../../core/logger.ts';
import { SentCapabilities } from '../protocol/capabilities.ts';
import type { BufferCount } from '../protocol/codec.ts';
import { decodeError } from '../protocol/errors.ts';
import { DEFAULT_MAX_PAYLOAD, MAFALDA_TARGET, type ClientMessage, type ServerMessage } from '../protocol/messages.ts';
import { Session, type Socket } from '../protocol/session.ts';
import { isLoad, isServerMessage } from '../protocol/validateServer.ts';
import { ENVELOPE_BYTES, MAX_GROWTH, sizeOfCall, sizeOfWritten, type MessageSize } from './argumentSize.ts';
import { HeldRequests, type HeldRequestsOptions, type Request } from './heldRequests.ts';
import { handleOf, type Caller, type CallTarget, type MirrorCore } from './mirrorCore.ts';
import { PendingCalls, rejectCall, type PendingCall } from './pendingCalls.ts';
import { keyFor, withOwnId } from './repeatable.ts';
import { UnconfirmedCloses, type Identified } from './unconfirmedCloses.ts';

const log = logger('client');

/** Bytes of calls that are sent in one packet: the server performs the first calls of a burst while others are encoded. */
const MAX_BATCH_BYTES = 8_192;
/** Number of calls that are remembered since their objects may still appear. */
const MAX_UNWANTED = 10_000;

export type RequestsEvents = {
  message: [message: Exclude<ServerMessage, { type: 'answer' | 'failure' }>, bytes: number];
  /** An answer has brought a new load of the server. */
  answered: [load: number];
  /** An answer has come to a call that has timed out. */
  late: [result: unknown];
  /** The session is about to fail. */
  failing: [];
  /** The session has failed. */
  failed: [error: Error];
};

/** Encoding of arguments, in which mirrors become handles. */
export interface MessageCodec extends Pick<HeldRequestsOptions, 'decode' | 'mirrorOf' | 'mirrorOfKey'> {
  /** @param buffers counts the Buffers in them */
  encode: (args: unknown[], buffers: BufferCount) => unknown[];
}

export interface RequestsOptions {
  codec: MessageCodec;
  /** Time limit of a call, in ms. */
  callTimeout: number;
  /** Number of calls without an answer beyond which no more are made. */
  maxPending: number;
  /** Returns the error of a call that was not answered in time. */
  timeoutError: (call: PendingCall) => Error;
  /** Whether calls may be asked again, of another server. */
  canMove: boolean;
}

export class Requests extends EnhancedEventEmitter<RequestsEvents> implements Caller {
  readonly #codec: MessageCodec;
  readonly #maxPending: number;
  readonly #canMove: boolean;
  readonly #calls: PendingCalls;
  readonly #held: HeldRequests;
  readonly #closes = new UnconfirmedCloses();
  /** Idempotency keys of calls that count as failed: what they have created closes when it is shown. */
  readonly #unwanted = new Set<string>();
  #session = this.#newSession();
  #capabilities = this.#newCapabilities();
  /** Bytes of a message that the server takes; a larger message would cost the connection, again and again. */
  #maxPayload = DEFAULT_MAX_PAYLOAD;
  /** Whether the server is asked, once in each session, to tell which MafaldaRouters it holds. */
  #followsRooms = false;

  constructor({ codec, callTimeout, maxPending, timeoutError, canMove }: RequestsOptions) {
    super();
    this.#codec = codec;
    this.#maxPending = maxPending;
    this.#canMove = canMove;
    this.#calls = new PendingCalls({
      timeoutMs: callTimeout,
      timeoutError,
      onLate: result => this.emit('late', result),
    });
    this.#held = new HeldRequests({
      ...codec,
      send: request => this.#transmit(request),
      onUnknown: key => this.#forgetWhenShown(key),
    });
  }

  /** Number of the server's messages that have arrived in the session. */
  get received(): number {
    return this.#session.received;
  }

  /** Rejects with a `LimitError` if too many calls have no answer. */
  call(target: CallTarget, method: string, args: unknown[]): Promise<unknown> {
    const refusal = this.#refusalOf(method);
    if (refusal) return Promise.reject(refusal);
    const key = keyFor(method, args, this.#canMove);
    return this.#call({ target, method, args: this.#canMove ? withOwnId(method, args) : args, key });
  }

  /** Calls while other requests are held. */
  callAhead(target: CallTarget, method: string, args: unknown[]): Promise<unknown> {
    return this.#call({ target, method, args, isAhead: true });
  }

  /** @throws {LimitError} if too many requests are held, while the client moves to another server */
  send(target: CallTarget, method: string, args: unknown[]): void {
    const request = { target, method, args };
    if (!this.#held.isOn) return this.#transmit(request);
    const refusal = this.#refusalOf(method);
    if (refusal) throw refusal;
    this.#held.hold(request);
  }

  closeObject(object: MirrorCore): void {
    const { isBound, handle, mafaldaRouter } = object;
    if (!isBound) return this.#closes.addUnbound(object);
    const number = this.#session.send({ type: 'send', target: handle, method: 'close', args: [] }, ENVELOPE_BYTES);
    // The client's own Workers end with the session, so their objects need no confirmation.
    if (mafaldaRouter === undefined) return;
    this.#closes.confirm(this.#session.delivered);
    this.#closes.add(object, number);
  }

  closeMafaldaRouter(id: string, number: number | undefined): Promise<unknown> {
    if (number === undefined) return this.#call({ target: id, method: 'close', args: [] });
    this.#closes.addMafaldaRouter(id, number);
    const onAnswer = (): void => this.#closes.confirmMafaldaRouter(number);
    return this.#call({ target: id, method: 'close', args: [], onAnswer });
  }

  /** @param hasSession whether the server can be told now, rather than at the beginning of the next session */
  closeLostMafaldaRouter(id: string, number: number, hasSession = true): void {
    this.#closes.addMafaldaRouter(id, number);
    if (hasSession) for (const call of this.#unconfirmedCalls()) this.#session.send(call);
  }

  listen({ isBound, handle }: MirrorCore, name: string, listening: boolean): void {
    // An object that is found at another server subscribes again there.
    if (isBound) this.#session.send({ type: 'listen', handle, name, listening });
  }

  /** Asks the server, in this session and all later ones, to tell which MafaldaRouters it holds. Idempotent. */
  followRooms(): void {
    if (this.#followsRooms) return;
    this.#followsRooms = true;
    this.#session.send({ type: 'followRooms' });
  }

  /**
   * Whether this client has closed the object, which the server may not know yet. Closes it there again, if it was
   * closed while another server was used, and if the call that has created it counts as failed.
   */
  hasClosed(object: Identified & Pick<MirrorCore, 'handle' | 'key'>): boolean {
    const { handle: target } = object;
    if (this.#closes.has(target)) return true;
    const isLate = object.key !== undefined && this.#unwanted.delete(object.key);
    if (!this.#closes.takeUnbound(object) && !isLate) return false;
    this.#closes.add(object, this.#session.send({ type: 'send', target, method: 'close', args: [] }, ENVELOPE_BYTES));
    return true;
  }

  /**
   * Goes on over this socket.
   * @param received number of the client's messages that have arrived at the server
   * @returns whether the session goes on, which it does not if the server breaks the protocol
   */
  attach(socket: Socket, received: number, maxPayload: number): boolean {
    this.#maxPayload = maxPayload;
    this.#session.maxBatchBytes = Math.min(MAX_BATCH_BYTES, maxPayload / MAX_GROWTH);
    const session = this.#session;
    session.attach(socket, received);
    return session.isAttachedTo(socket);
  }

  detach(): void {
    this.#session.detach();
  }

  /** Holds up what the server has sent until something has ended. @param ended resolves then, and never rejects */
  holdUp(ended: Promise<void>): void {
    void this.#session.holdUp(ended);
  }

  /** Sends all waiting messages at once. */
  flush(): void {
    this.#session.flush();
  }

  /** Begins a session: closes again what was closed in an earlier one, before the server announces it. */
  begin(): void {
    this.#session.sendFirst(this.#unconfirmedCalls());
  }

  /** Forgets closes that have not been confirmed: another server process has other handles. */
  forgetCloses(): void {
    this.#closes.clear();
  }

  /** Holds requests until {@link resume}. Idempotent. */
  hold(): void {
    this.#held.begin();
  }

  /** Resolves when all calls that were sent have been answered. */
  async untilAnswered(): Promise<void> {
    await this.#calls.untilEmpty();
  }

  /** Ends the session with a server that was lost; its requests are held for another server. */
  moveFrom(url: string): void {
    const { kept, transmitted } = this.#session;
    this.hold();
    this.#held.takeOver(this.#calls.take(), kept, transmitted, url);
    this.#closes.onMoved();
    this.#replaceSession();
  }

  /** Closes MafaldaRouters at the other server that the lost one may not have closed. Must come first. */
  closeAgain(): void {
    this.#held.sendCloses();
  }

  /** Sends what was held. */
  resume(): void {
    this.#held.end();
  }

  /** Ends the session. @param error of unanswered calls */
  end(error: () => Error): void {
    this.#closes.confirm(this.#session.delivered);
    this.#closes.onSessionLost();
    this.#replaceSession();
    for (const call of [...this.#calls.take(), ...this.#held.takeCalls()]) rejectCall(call, error());
  }

  /** Returns the error of a further request, if as many as may be wait for the server. */
  #refusalOf(method: string): LimitError | undefined {
    const waiting = this.#calls.size + this.#held.size;
    const max = this.#maxPending;
    if (waiting < max) return undefined;
    const message = `${method}(): ${waiting} calls wait for the server already (limits.pendingCalls of this client is ${max}): await some of them`;
    return new LimitError(message, { limit: 'pendingCalls', max });
  }

  #forgetWhenShown(key: string): void {
    this.#unwanted.add(key);
    const [oldest] = this.#unwanted.size > MAX_UNWANTED ? this.#unwanted : [];
    if (oldest !== undefined) this.#unwanted.delete(oldest);
  }

  #call(request: Request & Pick<PendingCall, 'onAnswer' | 'isAhead' | 'key'>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call: PendingCall = { ...request, resolve, reject };
      this.#calls.watch(call);
      if (call.isAhead || !this.#held.hold(call)) this.#transmit(call);
    });
  }

  /** Gives a request to the session. A call that can't be sent rejects; another request throws. */
  #transmit(request: Request | PendingCall): void {
    const call = 'resolve' in request ? request : undefined;
    try {
      const { method, target } = request;
      const buffers: BufferCount = { count: 0 };
      const encoded = this.#codec.encode(request.args, buffers);
      const handle = handleOf(target, method);
      if (!call) {
        const message = { type: 'send', target: handle, method, args: encoded } as const;
        const { wireBytes, size } = this.#sizeOf(message, buffers);
        return void this.#session.send(message, wireBytes, size);
      }
      const args = this.#capabilities.shorten(encoded);
      const message = { type: 'call', id: this.#calls.newId(), target: handle, method, args, key: call.key } as const;
      const { wireBytes, size } = this.#sizeOf(message, buffers);
      this.#calls.add(message.id, call);
      call.args = encoded;
      call.number = this.#session.send(message, wireBytes, size);
    } catch (error) {
      if (!call) throw error;
      rejectCall(call, error as Error);
    }
  }

  /** @throws {RangeError} if the message is larger than the server takes */
  #sizeOf(message: { readonly method: string; readonly args: unknown[] }, { count }: BufferCount): MessageSize {
    return count === 0
      ? sizeOfWritten(message, this.#maxPayload)
      : sizeOfCall(message.method, message.args, this.#maxPayload);
  }

  /** Calls that close objects again that were closed in an earlier session. */
  #unconfirmedCalls(): ClientMessage[] {
    return this.#closes.takeLost().map(({ unconfirmed, onConfirmed }) => {
      const id = this.#calls.newId();
      this.#calls.add(id, {
        target: MAFALDA_TARGET,
        method: 'closeUnconfirmed',
        args: [],
        resolve: () => undefined,
        reject: error => log.warn('closing again: %o', error),
        onAnswer: onConfirmed,
        isAhead: true,
      });
      return { type: 'call', id, target: MAFALDA_TARGET, method: 'closeUnconfirmed', args: [unconfirmed] };
    });
  }

  #onMessage(message: ServerMessage, bytes: number): void {
    if (message.type === 'failure') return this.#calls.answer(message.id, { error: decodeError(message.error) });
    if (message.type !== 'answer') return void this.emit('message', message, bytes);
    if (isLoad(message.load)) this.emit('answered', message.load);
    this.#calls.answer(message.id, { result: message.result });
  }

  #newSession(): Session<ClientMessage, ServerMessage> {
    const session = new Session<ClientMessage, ServerMessage>(isServerMessage, { holdsBack: true });
    session.on('message', (message, { bytes }) => this.#onMessage(message, bytes));
    session.on('failing', () => this.emit('failing'));
    session.on('error', error => this.emit('failed', error));
    return session;
  }

  #newCapabilities(): SentCapabilities {
    return new SentCapabilities((slot, rtpCapabilities) => {
      const { wireBytes, size } = sizeOfCall('consume', [rtpCapabilities], this.#maxPayload);
      this.#session.send({ type: 'capabilities', slot, rtpCapabilities }, wireBytes, size);
    });
  }

  #replaceSession(): void {
    this.#session.close();
    this.#session.removeAllListeners();
    this.#session = this.#newSession();
    this.#capabilities = this.#newCapabilities();
    if (this.#followsRooms) this.#session.send({ type: 'followRooms' });
  }
}
