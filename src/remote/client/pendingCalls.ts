/** Calls that wait for their answers, each for a limited time. */
import type { CallTimeoutError } from '../../api/errors.ts';
import { logger } from '../../core/logger.ts';
import type { CallTarget } from './mirrorCore.ts';

const log = logger('client');

export interface PendingCall {
  readonly target: CallTarget;
  readonly method: string;
  /** Arguments as they were encoded for the server, while it has the call; else as the caller has given them. */
  args: unknown[];
  /** Number of its message in the session; undefined until it is given to a session. */
  number?: number;
  readonly resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  /** Called when the server has answered, successfully or not. */
  readonly onAnswer?: () => void;
  timeout?: NodeJS.Timeout;
  /** Whether the caller has been told that no answer has come. */
  isLate?: boolean;
  /** Idempotency key, by which the object that it creates is recognised at another server. */
  readonly key?: string;
  /** Whether it goes before the requests that wait while the client moves to another server, and is not moved itself. */
  readonly isAhead?: boolean;
  /** Whether a lost server may have performed it. */
  wasAsked?: boolean;
  /** Error if that can't be found out. */
  unknown?: CallTimeoutError;
}

export interface PendingCallsOptions {
  /** Time limit of a call, in ms. */
  timeoutMs: number;
  /** Returns the error of a call that was not answered in time. */
  timeoutError: (call: PendingCall) => Error;
  /** Called with an answer that has come too late. */
  onLate: (result: unknown) => void;
}

export class PendingCalls {
  readonly #options: PendingCallsOptions;
  readonly #calls = new Map<number, PendingCall>();
  /** Functions that are called when no call is left. */
  readonly #waiting = new Set<() => void>();
  #nextId = 1;

  constructor(options: PendingCallsOptions) {
    this.#options = options;
  }

  /** Number of calls that the server has not answered, with those whose time is over. */
  get size(): number {
    return this.#calls.size;
  }

  /** Starts the time of a call. */
  watch(call: PendingCall): void {
    call.timeout = setTimeout(() => {
      call.isLate = true;
      call.reject(this.#options.timeoutError(call));
    }, this.#options.timeoutMs);
  }

  newId(): number {
    return this.#nextId++;
  }

  /** @param id by which it will be answered */
  add(id: number, call: PendingCall): void {
    this.#calls.set(id, call);
  }

  /** Settles a call. An answer that comes late may have an object that has to be closed. */
  answer(id: number, outcome: { result: unknown } | { error: Error }): void {
    const call = this.#calls.get(id);
    if (!call) return;
    clearTimeout(call.timeout);
    this.#calls.delete(id);
    call.onAnswer?.();
    if (call.isLate) {
      if ('result' in outcome) this.#options.onLate(outcome.result);
      else log('%s(): %o', call.method, outcome.error);
    } else if ('result' in outcome) call.resolve(outcome.result);
    else call.reject(outcome.error);
    this.#announceEmpty();
  }

  /** Takes out all calls. Their times go on. */
  take(): PendingCall[] {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    this.#announceEmpty();
    return calls;
  }

  /** Resolves when all calls have been answered. */
  async untilEmpty(): Promise<void> {
    if (this.#calls.size > 0) await new Promise<void>(resolve => this.#waiting.add(resolve));
  }

  #announceEmpty(): void {
    if (this.#calls.size > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Ends the time of a call, and rejects it unless that has happened. */
export function rejectCall(call: PendingCall, error: Error): void {
  clearTimeout(call.timeout);
  if (!call.isLate) call.reject(error);
}

/** Ends the time of a call, and resolves it unless it has been rejected. */
export function resolveCall(call: PendingCall, result: unknown): void {
  clearTimeout(call.timeout);
  if (!call.isLate) call.resolve(result);
}
