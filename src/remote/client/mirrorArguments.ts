/** Arguments and results of calls, in which objects of the server stand for their mirrors. */
import { NotFoundError } from 'mediasoup/errors';
import { created } from '../protocol/calls.ts';
import { decode } from '../protocol/codec.ts';
import { coreOf } from './mirror.ts';

type ObjectOf = (handle: number) => object | undefined;

interface EncodedResult {
  method: string;
  /** Arguments as the application has given them. */
  args: unknown[];
  encoded: unknown;
  /** URL of the server that has answered. */
  url: string | undefined;
}

/**
 * Returns the handle of an object in the arguments of a call.
 * @throws {NotFoundError} for a closed object outside an `appData`
 * @throws {NodeUnavailableError} for an object outside an `appData` that the present server has not shown yet
 */
export function handleOfArgument(object: object, isInAppData: boolean): number | undefined {
  const core = coreOf(object);
  if (isInAppData) return core?.isBound ? core.handle : undefined;
  if (core?.closed) throw core.closedError('use');
  if (core?.isBound === false) throw core.missingError('use');
  return core?.handle;
}

/**
 * Decodes a result. An object in it counts as this client's own.
 * @throws {NotFoundError} for an object that was closed before the answer came
 * @throws {TypeError} for something else than the method creates
 */
export function decodeResult({ method, args, encoded, url }: EncodedResult, objectOf: ObjectOf): unknown {
  const result = decode(encoded, handle => {
    const object = objectOf(handle);
    if (!object) throw new NotFoundError(`${method}(): what it has made was closed before the answer came`);
    return object;
  });
  const expected = created.get(method);
  if (expected && (typeof result !== 'object' || result === null || coreOf(result)?.className !== expected)) {
    throw new TypeError(`${method}() was answered by ${url} with something else than a ${expected}`);
  }
  if (typeof result !== 'object' || result === null) return result;
  coreOf(result)?.markCreatedHere();
  keepAppData(args, result);
  return result;
}

/** Closes an object that was created after its call had timed out, and so has failed for the caller. */
export function closeLateResult(encoded: unknown, objectOf: ObjectOf): void {
  const result = decode(encoded, handle => objectOf(handle) ?? {});
  if (typeof result === 'object' && result !== null) coreOf(result)?.close();
}

/** Gives a created object the application's own appData object instead of a copy, as in mediasoup. */
function keepAppData([options]: unknown[], result: object): void {
  const { appData } = (options ?? {}) as { appData?: unknown };
  if (!coreOf(result)) return;
  if (typeof appData === 'object' && appData !== null) Object.assign(result, { appData });
}
