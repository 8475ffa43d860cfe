/**
 * Strategies, which choose the node for the next object. They are pure functions: the same state gives the same choice.
 */
import { byLoad, emptiest, fullestWithRoom, type Candidate } from './selection.ts';

/**
 * Cost of using a further node for a room, in percent of a node: each stream that is consumed there has to be piped,
 * sent once more and received once more. It is about the load of a room of twenty people on a machine of four cores.
 */
const PIPES_LOAD = 10;

/** State of a node that is connected and not being drained, as a strategy sees it. */
export interface NodeState extends Candidate {
  /** Id of the node: its URL, or `local-1`, `local-2`, … for a node of this process. */
  readonly id: string;
  /** Region that the node's server has in its options. */
  readonly region?: string;
  /** Labels that the node's server has in its options. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Whether the node is a Mafalda of this process, with Workers on this machine. */
  readonly local?: boolean;
  /** Number of the streams, Transports and Consumers named in the request's `near` that the node has already. */
  readonly near?: number;
}

/** Request for a node, on which the next object of a MafaldaRouter is created. */
export interface PlacementRequest {
  /** Id of the MafaldaRouter. */
  readonly mafaldaRouterId: string;
  /** Load, in percent of a node, from which on a node gets nothing new while another node has room. */
  readonly watermark: number;
  /** Region that the call wishes for (`placement.region`). */
  readonly region?: string;
  /** Ids of objects that the call wishes to be near (`placement.near`). */
  readonly near?: readonly string[];
  /** 32-bit number that differs with each decision: for strategies that need chance, and have to stay pure. */
  readonly seed?: number;
}

/**
 * Chooses a node among the candidates, which are never empty. Must return a candidate; else the call fails with a
 * `TypeError`.
 */
export type Strategy = (candidates: readonly NodeState[], request: PlacementRequest) => NodeState | undefined;

/**
 * Fills a node up to the watermark before it uses the next: fewest pipes, fewest machines. Begins with this machine, if
 * that is a node: others are borrowed while it has no room. The default.
 */
export const concentrate: Strategy = (candidates, request) => {
  const preferred = preferredBy(candidates, request);
  const { watermark } = request;
  const own = preferred.filter(({ local }) => local === true);
  return fullestWithRoom(own, watermark) ?? fullestWithRoom(preferred, watermark) ?? emptiest(preferred);
};

/**
 * Spreads rooms evenly, and a room only where that is worth its pipes. Of equals it takes one by chance, since several
 * MafaldaHorizontals that decide by the same reports would all take the same.
 */
export const leastLoaded: Strategy = (candidates, request) => cheapest(preferredBy(candidates, request), request);

/**
 * Spreads, by choosing the less loaded of two nodes that chance picks: for several MafaldaHorizontals over the same
 * nodes, which would all choose the same node by the same reports. A node that the MafaldaRouter uses already stays in
 * use where another node is not worth its pipes.
 */
export const twoChoices: Strategy = (candidates, request) => {
  const preferred = preferredBy(candidates, request);
  const withRoom = preferred.filter(({ load }) => load < request.watermark);
  const among = withRoom.length > 0 ? withRoom : preferred;
  if (among.length < 2) return among[0];
  const chance = mix(hash(request.mafaldaRouterId) ^ (request.seed ?? 0));
  const first = chance % among.length;
  // The second pick excludes the first, so that the two differ.
  const second = (first + 1 + (mix(chance) % (among.length - 1))) % among.length;
  const used = emptiest(among.filter(({ hasRouter }) => hasRouter));
  return cheapest([...(used ? [used] : []), among[first]!, among[second]!], request);
};

/**
 * Concentrates within a region: the region that the call wishes for, else the regions in which the MafaldaRouter is
 * already. A node elsewhere is used when no node there is below the watermark.
 */
export const regionFirst: Strategy = (candidates, request) => {
  const hasRoom = ({ load }: NodeState): boolean => load < request.watermark;
  const { region } = request;
  if (region !== undefined && candidates.some(node => node.region === region && hasRoom(node)))
    return concentrate(candidates, request);
  const regions = new Set<string>();
  for (const node of candidates) if (node.hasRouter && node.region !== undefined) regions.add(node.region);
  const atHome =
    regions.size === 0
      ? []
      : candidates.filter(node => node.region !== undefined && regions.has(node.region) && hasRoom(node));
  return concentrate(atHome.length > 0 ? atHome : candidates, request);
};

/** All strategies, by their names. */
export const strategies = { concentrate, leastLoaded, twoChoices, regionFirst } as const satisfies Record<
  string,
  Strategy
>;

/**
 * Returns the candidates that fulfil the call's wishes: below the watermark, in its region, and of these the nodes with
 * most of the objects that it wants to be near. A wish that no node with room fulfils is left out.
 */
function preferredBy(
  candidates: readonly NodeState[],
  { region, near, watermark }: PlacementRequest,
): readonly NodeState[] {
  let preferred = candidates;
  if (region !== undefined) {
    const inRegion = preferred.filter(node => node.region === region && node.load < watermark);
    if (inRegion.length > 0) preferred = inRegion;
  }
  if (near !== undefined) {
    let most = 0;
    for (const node of preferred) if (node.load < watermark) most = Math.max(most, node.near ?? 0);
    if (most > 0) preferred = preferred.filter(node => node.near === most && node.load < watermark);
  }
  return preferred;
}

/**
 * Returns the least loaded candidate, where a node that the MafaldaRouter does not use yet, or a node above the
 * watermark, counts as fuller by the cost of pipes; of equals one that chance picks, or without a seed the first.
 */
function cheapest(
  candidates: readonly NodeState[],
  { watermark, mafaldaRouterId, seed }: PlacementRequest,
): NodeState | undefined {
  const costOf = ({ hasRouter, load }: NodeState): number => (hasRouter && load < watermark ? load : load + PIPES_LOAD);
  const chance = seed === undefined ? undefined : hash(mafaldaRouterId) ^ seed;
  let choice: NodeState | undefined;
  let equals = 0;
  for (const candidate of candidates) {
    const difference = choice ? costOf(candidate) - costOf(choice) || byLoad(candidate, choice) : -1;
    if (difference > 0) continue;
    equals = difference < 0 ? 1 : equals + 1;
    // Each of so many equals is taken in one of so many cases.
    if (difference < 0 || (chance !== undefined && mix(chance ^ equals) % equals === 0)) choice = candidate;
  }
  return choice;
}

/** Returns the FNV-1a hash of a text. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; ++index) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}

/** Returns the result of Murmur3's last step, at least 0: consecutive numbers give unrelated results. */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
