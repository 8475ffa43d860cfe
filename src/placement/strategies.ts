/** Strategies choose the node for what is created next. They are pure functions: the same state gives the same choice. */
import { byLoad, emptiest, fullestWithRoom, type Candidate } from './selection.ts';

/**
 * What it costs to use one more node for a room, in percent of a node: each stream that somebody consumes there has to be piped, sent once more and
 * received once more. It is about what a room of twenty people takes on a machine of four cores.
 */
const PIPES_LOAD = 10;

/** A node that is connected and not being drained, as a strategy sees it. */
export interface NodeState extends Candidate {
  readonly id: string;
  /** What its server says of itself. */
  readonly region?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** How many of the streams, Transports and Consumers that the request names in `near` it has already. */
  readonly near?: number;
}

export interface PlacementRequest {
  readonly mafaldaRouterId: string;
  /** Load percentage above which a node gets nothing new while another has room. */
  readonly watermark: number;
  /** What the call wishes for. */
  readonly region?: string;
  readonly near?: readonly string[];
  /** A 32-bit number that differs with each decision: for strategies that need chance, and have to stay pure. */
  readonly seed?: number;
}

/** Returns one of the candidates, of which there is always at least one. */
export type Strategy = (candidates: readonly NodeState[], request: PlacementRequest) => NodeState | undefined;

/** Fills a node up to the watermark before it uses the next: fewest pipes, fewest machines. The default. */
export const concentrate: Strategy = (candidates, request) => {
  const wished = asWished(candidates, request);
  return fullestWithRoom(wished, request.watermark) ?? emptiest(wished);
};

/** Spreads rooms evenly, and a room only where that is worth its pipes. */
export const leastLoaded: Strategy = (candidates, request) => cheapest(asWished(candidates, request), request);

/**
 * Spreads, by the less loaded of two nodes that chance picks: for several MafaldaHorizontals over the same nodes, which would all
 * choose the same one by the same reports. What the MafaldaRouter uses already stays in use where another one is not worth its pipes.
 */
export const twoChoices: Strategy = (candidates, request) => {
  const wished = asWished(candidates, request);
  const withRoom = wished.filter(({ load }) => load < request.watermark);
  const among = withRoom.length > 0 ? withRoom : wished;
  if (among.length < 2) return among[0];
  const chance = mix(hash(request.mafaldaRouterId) ^ (request.seed ?? 0));
  const first = chance % among.length;
  // Of the others, so that they are two.
  const second = (first + 1 + (mix(chance) % (among.length - 1))) % among.length;
  const used = emptiest(among.filter(({ hasRouter }) => hasRouter));
  return cheapest([...(used ? [used] : []), among[first]!, among[second]!], request);
};

/**
 * Concentrates within a region: that which the call wishes for, else those in which the MafaldaRouter is already. A node elsewhere is
 * used when no node there is below the watermark.
 */
export const regionFirst: Strategy = (candidates, request) => {
  const hasRoom = ({ load }: NodeState): boolean => load < request.watermark;
  const { region } = request;
  if (region !== undefined && candidates.some(node => node.region === region && hasRoom(node))) return concentrate(candidates, request);
  const regions = new Set<string>();
  for (const node of candidates) if (node.hasRouter && node.region !== undefined) regions.add(node.region);
  const atHome = regions.size === 0 ? [] : candidates.filter(node => node.region !== undefined && regions.has(node.region) && hasRoom(node));
  return concentrate(atHome.length > 0 ? atHome : candidates, request);
};

/** All of them, by their names. */
export const strategies = { concentrate, leastLoaded, twoChoices, regionFirst } as const satisfies Record<string, Strategy>;

/**
 * Those that the call wishes for: below the watermark, in its region, and of these the ones with the most of what it wants to be
 * near. A wish that nobody with room fulfils is left out.
 */
function asWished(candidates: readonly NodeState[], { region, near, watermark }: PlacementRequest): readonly NodeState[] {
  let wished = candidates;
  if (region !== undefined) {
    const there = wished.filter(node => node.region === region && node.load < watermark);
    if (there.length > 0) wished = there;
  }
  if (near !== undefined) {
    let most = 0;
    for (const node of wished) if (node.load < watermark) most = Math.max(most, node.near ?? 0);
    if (most > 0) wished = wished.filter(node => node.near === most && node.load < watermark);
  }
  return wished;
}

/** The least loaded, where one that the MafaldaRouter does not use yet counts as fuller by what pipes cost; the first of equals. */
function cheapest(candidates: readonly NodeState[], { watermark }: PlacementRequest): NodeState | undefined {
  const costOf = ({ hasRouter, load }: NodeState): number => (hasRouter && load < watermark ? load : load + PIPES_LOAD);
  let choice: NodeState | undefined;
  for (const candidate of candidates) {
    if (!choice || costOf(candidate) - costOf(choice) < 0 || (costOf(candidate) === costOf(choice) && byLoad(candidate, choice) < 0)) choice = candidate;
  }
  return choice;
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; ++index) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}

/** Murmur3's last step: of numbers in a row it makes ones that have nothing to do with each other. At least 0. */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
