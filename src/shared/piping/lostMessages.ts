/** Tells those who consume a stream of messages what was lost on its way, in mediasoup's words for what it can't send to them. */
import type { DataConsumer, Router } from 'mediasoup/types';
import { logger } from '../logger.ts';
import type { ObjectTree } from '../objectTree.ts';
import { linkedRouterId } from './endpoint.ts';

const log = logger('pipe');

const lost = new WeakMap<DataConsumer, number>();

/** How many messages the pipe that begins with this DataConsumer could not take, as far as was seen here. */
export function lostMessagesOf(pipe: DataConsumer): number {
  return lost.get(pipe) ?? 0;
}

/**
 * A pipe can take no message more when what waits for its link has reached the link's size: then all DataConsumers behind it emit
 * `sctpsendbufferfull`.
 * @param tree what is watched, for as long as it lives
 * @param concerns whether to tell of what a pipe from the one Router to the other has lost, or to leave that to others
 */
export function tellOfLostMessages(tree: ObjectTree, concerns: (from: Router, to: Router) => boolean): void {
  tree.on('add', ({ type, object, parent }) => {
    const to = type === 'dataConsumer' && parent?.type === 'transport' ? linkedRouterId(parent.object) : undefined;
    if (type !== 'dataConsumer' || to === undefined || parent?.parent?.type !== 'router') return;
    const from = parent.parent.object;
    object.on('sctpsendbufferfull', () => {
      lost.set(object, lostMessagesOf(object) + 1);
      log('a message of %s to router %s is lost: too much waits for the link', object.dataProducerId, to);
      const router = tree.routers.get(to);
      if (router && concerns(from, router)) for (const consumer of consumersBehind(tree, router, object.dataProducerId)) consumer.safeEmit('sctpsendbufferfull');
    });
  });
}

/** The application's own: those of further pipes lead to them. */
function* consumersBehind(tree: ObjectTree, router: Router, streamId: string, passed = new Set<Router>()): Iterable<DataConsumer> {
  passed.add(router);
  for (const transport of tree.nodeOf<'router'>(router)?.children ?? []) {
    if (transport.type !== 'transport') continue;
    for (const { type, object } of transport.children) {
      if (type !== 'dataConsumer' || object.dataProducerId !== streamId) continue;
      const next = linkedRouterId(transport.object);
      const nextRouter = next === undefined ? undefined : tree.routers.get(next);
      if (next === undefined) yield object;
      else if (nextRouter && !passed.has(nextRouter)) yield* consumersBehind(tree, nextRouter, streamId, passed);
    }
  }
}
