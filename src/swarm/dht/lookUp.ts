/**
 * Look-up in the DHT: asks the peers that are known to be closest to a target, then those that they name. Bounded, since
 * peers could name closer ones, at more addresses of their own, without end.
 */
import type DHT from 'dht-rpc';
import type { Address, DhtQueryOptions, DhtReply } from 'dht-rpc';
import { shuffled } from '../../core/shuffled.ts';
import { toText } from './address.ts';
import { FIND } from './commands.ts';

/** Repeats of a request that is not answered in time. */
const RETRIES = 2;
/** Answers that are waited for, several times what a swarm of a million peers takes. */
export const MAX_VISITED = 256;
/** Limit of a look-up, in ms, within which dead peers are noticed. */
export const LOOK_UP_MS = 5000;

/** Requests at a time: dht-rpc's own default. */
const CONCURRENCY = 10;
/** Other peers that are asked as well in a repeated look-up, which would depend on what those closest ones know of each other. */
const OTHERS = 3;

export interface LookUpOptions {
  /**
   * Peers that were the closest ones at the last look-up of the target. They are asked at once, so what is between them and
   * this peer is asked once and not each time.
   * @default none: it begins with the peers that this peer knows
   */
  closest?: readonly Address[] | undefined;
  /** Called with the answers of the closest peers; awaited before the end. */
  whenDone?: (closest: readonly DhtReply[]) => Promise<void>;
}

/**
 * Yields the answers as they come.
 * @throws the error of `whenDone`
 */
export async function* lookUp(
  node: DHT,
  target: Buffer,
  { closest = [], whenDone }: LookUpOptions = {},
): AsyncGenerator<DhtReply, void> {
  const again = closest.length > 0 ? beginningWith(node, closest) : {};
  const query = node.query({ target, command: FIND }, { retries: RETRIES, ...again });
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    query.destroy();
  }, LOOK_UP_MS);
  let visited = 0;
  try {
    for await (const reply of query) {
      yield reply;
      if (++visited >= MAX_VISITED) break;
    }
  } catch (error) {
    if (!isOver) throw error;
  } finally {
    clearTimeout(timer);
  }
  await whenDone?.(query.closestReplies);
}

/** Closer peers that have come meanwhile are named by those that are asked. */
function beginningWith(node: DHT, closest: readonly Address[]): DhtQueryOptions {
  const known = new Set(closest.map(toText));
  const others = shuffled(node.toArray().filter(address => !known.has(toText(address)))).slice(0, OTHERS);
  const nodes = [...others, ...closest];
  return { nodes, concurrency: Math.max(nodes.length, CONCURRENCY) };
}
