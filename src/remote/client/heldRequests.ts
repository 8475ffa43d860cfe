/**
 * Requests that wait while the client moves to another server: until it knows which objects there are its own. Among
 * them are those that the lost server may have had, and that are asked again where that can't double anything.
 */
import { CallTimeoutError, NodeUnavailableError } from '../../api/errors.ts';
import { logger } from '../../core/logger.ts';
import { MAFALDA_TARGET, type ClientMessage, type Target } from '../protocol/messages.ts';
import type { CallTarget, MirrorCore } from './mirrorCore.ts';
import { rejectCall, resolveCall, type PendingCall } from './pendingCalls.ts';
import { identifiedClass, isConnected, isRepeatable } from './repeatable.ts';

const log = logger('client');

/** A call without an answer yet, or a message that gets none. */
export interface Request {
  readonly target: CallTarget;
  readonly method: string;
  readonly args: unknown[];
}

export interface HeldRequestsOptions {
  /** Returns a copy of encoded arguments, with the objects that they refer to. */
  decode: (encoded: unknown[]) => unknown[];
  mirrorOf: (handle: number) => MirrorCore | undefined;
  mirrorOfKey: (key: string) => MirrorCore | undefined;
  /** Called with the idempotency key of a call whose outcome is unknown, and that counts as failed. */
  onUnknown: (key: string) => void;
  /** Sends a request; throws if a message without an answer can't be sent. */
  send: (request: Request | PendingCall) => void;
}

/** A message of the session with the lost server. */
interface Kept {
  readonly number: number;
  readonly message: ClientMessage;
}

export class HeldRequests {
  readonly #options: HeldRequestsOptions;
  #held: (Request | PendingCall)[] | undefined;
  /** Calls that close a MafaldaRouter. */
  #closes: { id: string; call: PendingCall }[] = [];

  constructor(options: HeldRequestsOptions) {
    this.#options = options;
  }

  /** Whether requests are held at present. */
  get isOn(): boolean {
    return this.#held !== undefined;
  }

  /** Number of requests that are held. */
  get size(): number {
    return (this.#held?.length ?? 0) + this.#closes.length;
  }

  /** Holds requests from now on. Idempotent. */
  begin(): void {
    this.#held ??= [];
  }

  /** @returns whether the request is held */
  hold(request: Request | PendingCall): boolean {
    return this.#held !== undefined && this.#held.push(request) > 0;
  }

  /**
   * Takes over the requests of the session with a lost server. Must be called while the handles mean the objects that
   * they meant there.
   * @param kept messages that the server has not acknowledged
   * @param transmitted number of the last message that was put on a connection
   */
  takeOver(calls: PendingCall[], kept: Iterable<Kept>, transmitted: number, url: string): void {
    const taken: { number: number; request: Request | PendingCall }[] = [];
    for (const call of calls) {
      const number = call.number ?? 0;
      if (this.#takeCall(call, number <= transmitted, url)) taken.push({ number, request: call });
    }
    for (const { number, message } of kept) {
      if (message.type !== 'send' || message.method === 'close') continue;
      // Whether a message without an answer has arrived is unknown, and it must not arrive twice.
      if (number <= transmitted && !isRepeatable(message.method)) continue;
      const request = this.#requestOf(message);
      if (request) taken.push({ number, request });
    }
    taken.sort((one, other) => one.number - other.number);
    this.#held = [...taken.map(({ request }) => request), ...(this.#held ?? [])];
  }

  /** Closes MafaldaRouters that the lost server may not have closed. Must be called before anything else is asked. */
  sendCloses(): void {
    for (const { id, call } of this.#closes.splice(0)) {
      this.#options.send({
        target: MAFALDA_TARGET,
        method: 'createMafaldaRouter',
        args: [{ id }],
        isAhead: true,
        resolve: () => undefined,
        reject: error => log.warn('closing MafaldaRouter %s: %o', id, error),
      });
      this.#options.send(call);
    }
  }

  /** Sends all requests, and holds none any more. */
  end(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const request of held) {
      try {
        if ('resolve' in request) this.#ask(request);
        else this.#options.send(request);
      } catch (error) {
        log.warn('%s(): %o', request.method, error);
      }
    }
  }

  /** Takes out all calls, drops all messages without answers, and holds none any more. */
  takeCalls(): PendingCall[] {
    const calls = (this.#held ?? []).filter(request => 'resolve' in request);
    this.#held = undefined;
    return [...this.#closes.splice(0).map(({ call }) => call), ...calls];
  }

  /** @returns whether the call is to be asked again */
  #takeCall(call: PendingCall, wasSent: boolean, url: string): boolean {
    const { target, method, isAhead, isLate } = call;
    if (isLate) return false;
    if (isAhead) {
      rejectCall(call, new NodeUnavailableError(`${url} was lost while the client was moving there`, { node: url }));
      return false;
    }
    if (typeof target === 'string' && method === 'close') {
      this.#closes.push({ id: target, call });
      return false;
    }
    // The session that has left, or would have, is no more.
    if (typeof target === 'string' && method === 'leave') {
      resolveCall(call, undefined);
      return false;
    }
    const message = `${method}(): ${url} was lost before it answered, so that it is not known whether it has done it`;
    call.unknown = new CallTimeoutError(message, { method });
    if (wasSent && !isRepeatable(method) && call.key === undefined) {
      rejectCall(call, call.unknown);
      return false;
    }
    try {
      call.args = this.#options.decode(call.args);
    } catch (error) {
      rejectCall(call, error as Error);
      return false;
    }
    call.wasAsked = wasSent;
    call.number = undefined;
    return true;
  }

  /** Resolves a call with the object that it has created; rejects it if the other server does not show one. */
  #settleByKey(call: PendingCall, key: string): void {
    const made = this.#options.mirrorOfKey(key);
    if (made) {
      made.markCreatedHere();
      return resolveCall(call, { $ref: made.handle });
    }
    this.#options.onUnknown(key);
    if (call.unknown) rejectCall(call, call.unknown);
  }

  #requestOf({ target, method, args }: Extract<ClientMessage, { type: 'send' }>): Request | undefined {
    const mirror = this.#mirrorOf(target);
    try {
      return mirror && { target: mirror, method, args: this.#options.decode(args) };
    } catch (error) {
      log.warn('%s(): %o', method, error);
      return undefined;
    }
  }

  #mirrorOf(target: Target): MirrorCore | undefined {
    return typeof target === 'number' ? this.#options.mirrorOf(target) : undefined;
  }

  /** Asks again, unless the state that the other server shows answers the call. */
  #ask(call: PendingCall): void {
    const { target, method, args, isLate, wasAsked, key } = call;
    if (isLate) return;
    if (wasAsked && key !== undefined && !isRepeatable(method)) return this.#settleByKey(call, key);
    if (!wasAsked || typeof target !== 'object') return this.#options.send(call);
    if (method === 'connect' && isConnected(target)) return resolveCall(call, undefined);
    const className = identifiedClass(method);
    const { id } = (args[0] ?? {}) as { id?: unknown };
    if (className === undefined || typeof id !== 'string') return this.#options.send(call);
    const isMade = (): boolean => {
      const child = target.childOf(className, id);
      if (!child) return false;
      // It is adopted as this client's own.
      child.markCreatedHere();
      clearTimeout(call.timeout);
      call.resolve({ $ref: child.handle });
      return true;
    };
    if (isMade()) return;
    const { reject } = call;
    // The id may be taken since the first request was still under way when the other server was asked for its objects.
    call.reject = error => void (isMade() || reject(error));
    this.#options.send(call);
  }
}
