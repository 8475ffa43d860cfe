/** Checks of what places answer to askers: it comes from other machines, and may be anything. */
import type { Path } from './paths.ts';
import { MAX_CANDIDATES, type Candidate, type Redirect } from './policy.ts';

/** Limit for an id and a URL, in characters. */
const MAX_NAME_LENGTH = 2048;
/** Limit for the Routers on a path, more than there are on any real one. */
const MAX_PATH = 32;

/** Returns what is usable of a redirect; nothing of what is not one. */
export function checkedRedirect(value: unknown): Redirect {
  const { candidates, share } = isObject(value) ? value : {};
  const listed = Array.isArray(candidates) ? (candidates.slice(0, MAX_CANDIDATES) as unknown[]) : [];
  return {
    candidates: listed.flatMap(candidate => checkedCandidate(candidate) ?? []),
    share: typeof share === 'number' && share >= 0 ? share : Infinity,
  };
}

/** Returns the path of an offered stream; undefined if none is told, or what is told is none. */
export function checkedPath(value: unknown): Path | undefined {
  return Array.isArray(value) && value.length <= MAX_PATH && value.every(isName) ? value : undefined;
}

function checkedCandidate(value: unknown): Candidate | undefined {
  if (!isObject(value)) return undefined;
  const { routerId, url, depth, load } = value;
  if (!isName(routerId) || (url !== undefined && url !== null && !isName(url))) return undefined;
  if (!Number.isInteger(depth) || (depth as number) < 0 || typeof load !== 'number' || !(load >= 0)) return undefined;
  return { routerId, url: url ?? undefined, depth: depth as number, load };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
