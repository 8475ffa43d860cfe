/** The asker's part of delegation: follows redirects, a bounded number of them, wherever they lead. */
import { choose, MAX_CANDIDATES, MAX_REDIRECTS, type Candidate, type Redirect } from './policy.ts';

/** Maximum number of places that are told that they must. */
const MAX_FORCED = 4;

/** Request to a place, as far as it concerns delegation. */
export interface Question {
  /** Ids of the Routers that were asked before, in order. */
  readonly asked: readonly string[];
  readonly must: boolean;
}

export interface FollowOptions {
  /**
   * Asks a place for the stream.
   * @returns undefined if the place serves it, and everything is done; else where it sends the asker
   */
  ask: (candidate: Candidate, question: Question) => Promise<Redirect | undefined>;
  /** Load, in percent, below which a place has room. */
  watermark: number;
  /** Returns the load of a place, in percent, by the asker's own knowledge where it has any; Infinity if it is gone. */
  loadOf: (candidate: Candidate) => number;
  /**
   * Places that the asker knows by itself, the nearest to the origin first: they are asked where redirects lead nowhere,
   * so that no place can keep an asker from all others.
   */
  others?: readonly Candidate[];
  /** Called when a place to which the asker was sent can't be asked: another one is asked instead. */
  onFailed?: (candidate: Candidate, error: unknown) => void;
}

/** Result of following redirects. */
export interface Followed {
  /** Place that serves the stream; undefined if none of those that were asked does. */
  readonly source: Candidate | undefined;
  /** Number of times that the asker was sent on. */
  readonly redirects: number;
  /** Whether the place was told that it must. */
  readonly forced: boolean;
}

/**
 * Asks for a stream, and goes where it is sent. If all that may be asked are full, the least used of them must serve.
 * Asks at most nine times.
 * @throws {Error} as the first place: the failure of any other place is no reason to give up
 */
export async function followRedirects(
  first: Candidate,
  { ask, watermark, loadOf, others = [], onFailed }: FollowOptions,
): Promise<Followed> {
  const asked: string[] = [];
  const full: { candidate: Candidate; share: number }[] = [];
  /** Lists of places that others have named, the latest first: those are nearest to where there is room. */
  const named: (readonly Candidate[])[] = [others];
  let redirects = 0;
  let next: Candidate | undefined = first;
  while (next) {
    const candidate: Candidate = next;
    const question = { asked: [...asked], must: false };
    asked.push(candidate.routerId);
    try {
      const redirect = await ask(candidate, question);
      if (!redirect) return { source: candidate, redirects, forced: false };
      full.push({ candidate, share: redirect.share });
      named.unshift(redirect.candidates.slice(0, MAX_CANDIDATES));
    } catch (error) {
      if (candidate === first) throw error;
      onFailed?.(candidate, error);
    }
    next = undefined;
    if (redirects === MAX_REDIRECTS) break;
    for (const list of named) {
      const usable = list.filter(each => loadOf(each) < Infinity);
      if ((next = choose(usable, { asked, watermark, loadOf }))) break;
    }
    if (next) ++redirects;
  }
  const usedLeast = full
    .filter(({ share }) => share < Infinity)
    .sort((one, other) => one.share - other.share || one.candidate.depth - other.candidate.depth)
    .map(({ candidate }) => candidate);
  const unasked = others.filter(each => !asked.includes(each.routerId) && loadOf(each) < Infinity);
  for (const candidate of [...usedLeast.slice(0, MAX_FORCED - 1), ...unasked].slice(0, MAX_FORCED)) {
    try {
      const before = asked.filter(id => id !== candidate.routerId);
      if (!(await ask(candidate, { asked: before, must: true }))) return { source: candidate, redirects, forced: true };
    } catch (error) {
      onFailed?.(candidate, error);
    }
  }
  return { source: undefined, redirects, forced: true };
}
