/** Whose fault it is when a node can't do what it is asked: told by the name of the error's class, which is the same after any number of wires. */
import { NodeUnavailableError } from '../api/errors.ts';
import type { ClusterNode } from './clusterNode.ts';

/** Of these the caller would be told by every node: its arguments are wrong, or what it means is closed. */
const callersFaults = new Set(['TypeError', 'RangeError', 'UnsupportedError', 'NotFoundError']);

export function isCallersFault({ name }: Error): boolean {
  return callersFaults.has(name);
}

/**
 * What the caller is told when no node could do it: what they all say, if that is one thing, and else all that they say.
 * @param failures of one node at least
 */
export function failureOf(failures: ReadonlyMap<ClusterNode, Error>): Error {
  const errors = [...failures.values()];
  const [first] = errors as [Error];
  const isOwnKind = !['Error', 'NodeUnavailableError'].includes(first.name);
  if (isOwnKind && errors.every(({ name }) => name === first.name)) return first;
  const causes = Object.fromEntries([...failures].map(([{ id }, error]) => [id, error]));
  const whys = Object.entries(causes).map(([id, { message }]) => `${id}: ${message}`);
  return new NodeUnavailableError(`none of the nodes that were tried can do it (${whys.join('; ')})`, {
    cause: first,
    causes,
  });
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
