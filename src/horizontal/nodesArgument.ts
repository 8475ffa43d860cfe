/** First argument of a MafaldaHorizontal: its nodes, or its options if these alone are given. */
import { describeGiven } from '../api/describeGiven.ts';
import type { MafaldaApi } from '../api/types.ts';
import type { MafaldaHorizontalOptions } from './horizontalOptions.ts';

type Nodes = Iterable<string | MafaldaApi>;

/**
 * Returns the nodes and the options.
 * @throws {TypeError} if the nodes are none
 */
export function nodesAndOptions(
  nodesOrOptions: Nodes | MafaldaHorizontalOptions,
  options: MafaldaHorizontalOptions,
): [Nodes, MafaldaHorizontalOptions] {
  if (isOptions(nodesOrOptions)) return [[], nodesOrOptions];
  checkNodes(nodesOrOptions);
  return [nodesOrOptions, options];
}

function isOptions(value: Nodes | MafaldaHorizontalOptions): value is MafaldaHorizontalOptions {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value);
}

/** A string is iterable as well: each of its letters would be a node. */
function checkNodes(nodes: unknown): void {
  const isIterable = typeof nodes === 'object' && nodes !== null && Symbol.iterator in nodes;
  if (isIterable) return;
  const meant = typeof nodes === 'string' ? `[${JSON.stringify(nodes)}]` : "['wss://media-1.example:4443']";
  throw new TypeError(
    `MafaldaHorizontal: the first argument must be an array, or another iterable, of URLs and Mafaldas, such as ${meant}; ${describeGiven(nodes)}`,
  );
}
