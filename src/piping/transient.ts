/** Failures of a pipe after which another attempt can help. */
import { NotFoundError } from 'mediasoup/errors';
import { describeStream, type StreamId } from './endpoint.ts';

/**
 * Maximum number of attempts for a pipe: a link or stream that closes while it is being used, since it was idle, is
 * made anew; more than twice in a row is a defect.
 */
export const MAX_ATTEMPTS = 3;

/**
 * Returns whether another attempt can help: the object that was asked for was just ending, and is gone by now; or the
 * asked side had not yet heard of that end.
 */
export function isTransient(error: unknown): boolean {
  return isStale(error) || (error instanceof Error && error.name === 'NotFoundError');
}

/**
 * Returns the error of a stream that could not be brought in any attempt: a NotFoundError, as mediasoup throws for
 * unknown streams.
 */
export function unreachable(stream: StreamId, cause: unknown): NotFoundError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const error = new NotFoundError(
    `${describeStream(stream)} not found: it exists, but could not be brought in ${MAX_ATTEMPTS} attempts (${reason})`,
  );
  return Object.assign(error, { cause });
}

/** Returns whether the machine that was asked, or another one that had to be, was lost before it answered. */
export function isLoss(error: unknown): boolean {
  return error instanceof Error && error.name === 'NodeUnavailableError';
}

/** Compares names rather than classes: the error may have come over a wire, or from another copy of this module. */
export function isStale(error: unknown): boolean {
  return error instanceof Error && error.name === 'StaleLinkError';
}
