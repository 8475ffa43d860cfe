/** Errors of calls that were not answered: in time, or before the session has ended. */
import { CallTimeoutError, ClosedError, NodeUnavailableError, type RefusedError } from '../../api/errors.ts';

/** State of the connection that a call was made on. */
export interface Circumstances {
  readonly url: string;
  readonly isConnected: boolean;
  /** Whether there is a session, with or without a connection: without one a call was never sent. */
  readonly hasSession: boolean;
  /** Known reason why there is no connection. */
  readonly trouble: Error | undefined;
  readonly refusal: RefusedError | undefined;
  /** Whether the client has closed the connection. */
  readonly isClosed: boolean;
}

/** Returns the error of a call that was not answered within `timeoutMs`. */
export function timeoutErrorOf(
  method: string,
  timeoutMs: number,
  { url, isConnected, hasSession, trouble, refusal }: Circumstances,
): Error {
  const state = isConnected ? '' : `: there is no connection at present${trouble ? `, ${trouble.message}` : ''}`;
  const message = `${method}() was not answered within ${timeoutMs} ms by ${url}${state}`;
  // A call that was never sent was certainly not performed.
  if (hasSession || !trouble)
    return new CallTimeoutError(message, { method, cause: isConnected ? undefined : trouble });
  return refusal ?? new NodeUnavailableError(message, { node: url, cause: trouble, causes: { [url]: trouble } });
}

/** Returns the error of calls that are unanswered when the session ends, for the reason that is known. */
export function lossErrorOf(reason: Error | undefined, { url, refusal, isClosed }: Circumstances): Error {
  const message = `the connection to ${url} was closed before the call was answered${reason ? `: ${reason.message}` : ''}`;
  if (refusal?.permanent) return refusal;
  if (isClosed) return new ClosedError(message);
  return new NodeUnavailableError(message, { node: url, cause: reason, causes: reason && { [url]: reason } });
}
