/** Attribution of faults to nodes or callers, by the name of the error's class, which survives any number of wires. */
import { NodeUnavailableError } from '../api/errors.ts';
import type { ClusterNode } from './clusterNode.ts';

/** Classes of errors that every node would answer: the caller's arguments are wrong, or their objects are closed. */
const callersFaults = new Set(['TypeError', 'RangeError', 'UnsupportedError', 'NotFoundError']);

export function isCallersFault({ name }: Error): boolean {
  return callersFaults.has(name);
}

/** Returns whether a node has refused something new for its load, which is no fault. */
export function isFull({ name }: Error): boolean {
  return name === 'NodeFullError';
}

/** Returns whether a node is well, and takes nothing new since its operator drains it. */
export function isDraining({ name }: Error): boolean {
  return name === 'NodeDrainingError';
}

/**
 * Returns the error for the caller when no node could do it: the error of all nodes if they agree on its class, else an
 * error with all of theirs as causes.
 * @param failures errors by node, at least one
 */
export function failureOf(failures: ReadonlyMap<ClusterNode, Error>): Error {
  const errors = [...failures.values()];
  const [first] = errors as [Error];
  const isOwnKind = !['Error', 'NodeUnavailableError'].includes(first.name);
  if (isOwnKind && errors.every(({ name }) => name === first.name)) return first;
  const causes = Object.fromEntries([...failures].map(([{ id }, error]) => [id, error]));
  const reasons = Object.entries(causes).map(([id, { message }]) => `${id}: ${message}`);
  return new NodeUnavailableError(`none of the nodes that were tried can do it (${reasons.join('; ')})`, {
    cause: first,
    causes,
  });
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
