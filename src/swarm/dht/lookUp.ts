/**
 * Look-up in the DHT: asks the peers that are known to be closest to a target, then those that they name. Bounded, since
 * peers could name closer ones, at more addresses of their own, without end.
 */
import type DHT from 'dht-rpc';
import type { DhtReply } from 'dht-rpc';
import { FIND } from './commands.ts';

/** Repeats of a request that is not answered in time. */
const RETRIES = 2;
/** Answers that are waited for, several times what a swarm of a million peers takes. */
export const MAX_VISITED = 256;
/** Limit of a look-up, in ms, within which dead peers are noticed. */
export const LOOK_UP_MS = 5000;

/**
 * Yields the answers as they come.
 * @param whenDone called with the answers of the closest peers; awaited before the end
 * @throws the error of `whenDone`
 */
export async function* lookUp(
  node: DHT,
  target: Buffer,
  whenDone?: (closest: readonly DhtReply[]) => Promise<void>,
): AsyncGenerator<DhtReply, void> {
  const query = node.query({ target, command: FIND }, { retries: RETRIES });
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
