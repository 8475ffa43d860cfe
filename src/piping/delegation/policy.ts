/**
 * Policy by which places of a stream share the work of passing it on: pure functions, for the place that is asked and
 * for the asker. A place that has its share of pipes sends askers on to those that it serves already. So a tree grows
 * from the origin, level by level, without anything that knows all of it.
 */

/** Maximum number of pipes between a Producer and a Router that has its stream: each pipe adds delay, and can fail. */
export const MAX_DEPTH = 4;
/** Maximum number of times that an asker is sent on. */
export const MAX_REDIRECTS = 4;
/** Maximum number of places to which an asker is sent on at a time. */
export const MAX_CANDIDATES = 3;
/**
 * Multiple of its share that a place serves if it must, since all others are full as well; never more, whatever an asker
 * claims.
 */
export const MAX_SHARES = 4;

/**
 * Difference, in points of the load, by which a busy place has to be less loaded than another one to be the better source:
 * a longer path adds delay, and can fail.
 */
export const LOAD_MARGIN = 10;

/** Place that an asker may ask for the stream. */
export interface Candidate {
  /** Id of the Router that has the stream, or is just getting it. */
  readonly routerId: string;
  /** URL of its server, for askers that don't know it yet. */
  readonly url?: string | undefined;
  /** Number of pipes between the origin and this place. */
  readonly depth: number;
  /** Load of its machine, in percent, when it was heard of last. */
  readonly load: number;
}

/** Place that is served by the place that is asked. */
export interface Branch {
  readonly routerId: string;
  readonly url?: string | undefined;
  readonly load: number;
  /** Number that grows with each asker that is sent anywhere: when an asker was sent to this branch last, or 0. */
  readonly sentAt: number;
}

/** State of the place that is asked. */
export interface Serving {
  /** Ids of the Routers through which the stream comes here, the origin's first; empty at the origin. */
  readonly path: readonly string[];
  /** Load of the machine, in percent. */
  readonly load: number;
  /** Load, in percent, below which the machine has room. */
  readonly watermark: number;
  /** Number of pipes of this stream that leave the machine, or are being made. */
  readonly pipes: number;
  /** Number of pipes of a stream that leave the machine before askers are sent on. */
  readonly fanOut: number;
  readonly branches: readonly Branch[];
}

/** Facts about the asker, as it tells them. */
export interface Asking {
  /** Ids of the Routers of the machine to which the stream is to come, which must not be on the stream's path. */
  readonly routers: readonly string[];
  /** Ids of the Routers that were asked before, in order. */
  readonly asked: readonly string[];
  /** Whether all that were asked are full, and this place is the least used of them. */
  readonly must: boolean;
}

/** Answer of a place that does not serve an asker. */
export interface Redirect {
  /** Places that the asker may ask next, best first; none if there is nothing below this place. */
  readonly candidates: readonly Candidate[];
  /** Percentage of its share that the place serves, at least 100 if it is full; Infinity if it can't serve this asker. */
  readonly share: number;
}

/**
 * Returns undefined if the place serves the asker, else where the asker is sent. A place that is busy, but has not its
 * share of pipes yet, sends askers on only if one of its branches is better off.
 */
export function decide(serving: Serving, asking: Asking): Redirect | undefined {
  const { path, load, watermark, pipes, fanOut } = serving;
  const depth = path.length;
  // An asker on the path would be fed by itself: nothing but silence, for ever.
  const isBehind = path.some(id => asking.routers.includes(id));
  if (isBehind || depth >= MAX_DEPTH) return { candidates: towardsOrigin(serving, asking), share: Infinity };
  // A place with a watermark of 0 is always busy.
  const busyness = load < watermark ? load / watermark : Math.max(1, load / Math.max(1, watermark));
  const share = 100 * Math.max(pipes / fanOut, busyness);
  if (share < 100 || (asking.must && pipes < MAX_SHARES * fanOut)) return undefined;
  const candidates = below(serving, asking);
  const isBetter = (other: Candidate): boolean => other.load < watermark || other.load < load - LOAD_MARGIN;
  // Where all are busy, being sent on would only lengthen the path.
  if (pipes < fanOut && candidates.length > 0 && !candidates.some(isBetter)) return undefined;
  return { candidates, share };
}

/** Returns the candidate that an asker asks next; undefined if none of them can be asked. */
export function choose(
  candidates: readonly Candidate[],
  { asked, watermark, loadOf }: { asked: readonly string[]; watermark: number; loadOf: (of: Candidate) => number },
): Candidate | undefined {
  const rankOf = (candidate: Candidate): number => Number(loadOf(candidate) >= watermark);
  // The sort keeps the order of equals: it is the one in which the place that was asked spreads its askers.
  return candidates
    .filter(({ routerId }) => !asked.includes(routerId))
    .sort((one, other) => rankOf(one) - rankOf(other) || one.depth - other.depth)[0];
}

/** Returns the branches to which the asker is sent: those with room first, each in its turn. */
function below({ path, watermark, branches }: Serving, { routers, asked }: Asking): Candidate[] {
  const depth = path.length + 1;
  // A branch at the maximal depth can't serve anyone.
  if (depth >= MAX_DEPTH) return [];
  return branches
    .filter(({ routerId }) => !asked.includes(routerId) && !routers.includes(routerId))
    .sort(
      (one, other) =>
        Number(one.load >= watermark) - Number(other.load >= watermark) ||
        one.sentAt - other.sentAt ||
        one.load - other.load,
    )
    .slice(0, MAX_CANDIDATES)
    .map(({ routerId, url, load }) => ({ routerId, url, depth, load }));
}

/** Returns places on the path that come before the asker's own Routers, the nearest to the origin first. */
function towardsOrigin({ path }: Serving, { routers, asked }: Asking): Candidate[] {
  const own = path.findIndex(id => routers.includes(id));
  const before = own < 0 ? path : path.slice(0, own);
  return before
    .map((routerId, depth) => ({ routerId, depth, load: 0 }))
    .filter(({ routerId, depth }) => depth < MAX_DEPTH && !asked.includes(routerId))
    .slice(0, MAX_CANDIDATES);
}
