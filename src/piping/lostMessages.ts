/** Tells those who consume a stream of messages what was lost on its way, in mediasoup's words for what it can't send to them. */
import type { Consumer, DataConsumer, Router } from 'mediasoup/types';
import { logger } from '../core/logger.ts';
import type { ObjectTree } from '../core/objectTree.ts';
import { linkedRouterId } from './endpoint.ts';
import type { StreamInRouter, Streams } from './streams.ts';
import type { StreamUsers } from './streamUsers.ts';

const log = logger('pipe');

const lost = new WeakMap<DataConsumer, number>();

/** How many messages the pipe that begins with this DataConsumer could not take, as far as was seen here. */
export function lostMessagesOf(pipe: DataConsumer): number {
  return lost.get(pipe) ?? 0;
}

export interface LostMessagesOptions {
  /** It is watched for as long as it lives. */
  tree: ObjectTree;
  /** Of the same tree. */
  streams: Streams;
  users: StreamUsers;
  /** Whether to tell of what a pipe from the one Router to the other has lost, or to leave that to others. */
  concerns: (from: Router, to: Router) => boolean;
}

/**
 * A pipe can take no message more when what waits for its link has reached the link's size: then all DataConsumers behind it emit
 * `sctpsendbufferfull`.
 */
export function tellOfLostMessages({ tree, streams, users, concerns }: LostMessagesOptions): void {
  tree.on('add', ({ type, object, parent }) => {
    const to = type === 'dataConsumer' && parent?.type === 'transport' ? linkedRouterId(parent.object) : undefined;
    if (type !== 'dataConsumer' || to === undefined || parent?.parent?.type !== 'router') return;
    const from = parent.parent.object;
    object.on('sctpsendbufferfull', () => {
      lost.set(object, lostMessagesOf(object) + 1);
      const id = object.dataProducerId;
      log('a message of %s to router %s is lost: too much waits for the link', id, to);
      const router = tree.routers.get(to);
      if (!router || !concerns(from, router)) return;
      for (const routerId of routersBehind(to, streams.find(id))) for (const consumer of users.consumers(routerId, id)) tell(consumer.object);
    });
  });
}

function tell(consumer: Consumer | DataConsumer): void {
  if ('dataProducerId' in consumer) consumer.safeEmit('sctpsendbufferfull');
}

/** The Router, and those into which pipes lead on from there. */
function routersBehind(routerId: string, places: readonly StreamInRouter[]): Set<string> {
  const routers = new Set([routerId]);
  const next = new Map<string, string[]>();
  for (const { from, router } of places) if (from !== undefined) next.set(from, [...(next.get(from) ?? []), router.id]);
  // A Set that grows while it is gone through shows what was added.
  for (const id of routers) for (const behind of next.get(id) ?? []) routers.add(behind);
  return routers;
}
