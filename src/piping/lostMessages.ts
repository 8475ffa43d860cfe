/**
 * Reports messages lost in pipes to the DataConsumers behind them, by mediasoup's event for messages that it can't
 * send.
 */
import type { Consumer, DataConsumer, Router } from 'mediasoup/types';
import { logger } from '../core/logger.ts';
import type { ObjectTree } from '../core/objectTree.ts';
import { linkedRouterId } from './endpoint.ts';
import type { StreamInRouter, Streams } from './streams.ts';
import type { StreamUsers } from './streamUsers.ts';

const log = logger('pipe');

const lost = new WeakMap<DataConsumer, number>();

/**
 * Returns the number of messages that the pipe beginning with this DataConsumer could not take, as far as was seen
 * here.
 */
export function lostMessagesOf(pipe: DataConsumer): number {
  return lost.get(pipe) ?? 0;
}

export interface LostMessagesOptions {
  /** Tree that is watched for as long as it lives. */
  tree: ObjectTree;
  /** Streams of the same tree. */
  streams: Streams;
  users: StreamUsers;
  /** Returns whether losses of a pipe between these Routers are reported here, rather than by another MafaldaRouter. */
  concerns: (from: Router, to: Router) => boolean;
}

/**
 * Makes all DataConsumers behind a pipe emit `sctpsendbufferfull` when the pipe can't take a message, since the
 * messages that wait for its link have reached the link's size.
 */
export function reportLostMessages({ tree, streams, users, concerns }: LostMessagesOptions): void {
  tree.on('add', ({ type, object, parent }) => {
    const to = type === 'dataConsumer' && parent?.type === 'transport' ? linkedRouterId(parent.object) : undefined;
    if (type !== 'dataConsumer' || to === undefined || parent?.parent?.type !== 'router') return;
    const from = parent.parent.object;
    object.on('sctpsendbufferfull', () => {
      lost.set(object, lostMessagesOf(object) + 1);
      const id = object.dataProducerId;
      log.warn('a message of %s to router %s is lost: too much waits for the link', id, to);
      const router = tree.routers.get(to);
      if (!router || !concerns(from, router)) return;
      for (const routerId of routersBehind(to, streams.find(id)))
        for (const consumer of users.consumers(routerId, id)) emitLoss(consumer.object);
    });
  });
}

function emitLoss(consumer: Consumer | DataConsumer): void {
  if ('dataProducerId' in consumer) consumer.safeEmit('sctpsendbufferfull');
}

/** Returns the ids of the Router and of all Routers into which pipes lead on from there. */
function routersBehind(routerId: string, places: readonly StreamInRouter[]): Set<string> {
  const routers = new Set([routerId]);
  const next = new Map<string, string[]>();
  for (const { from, router } of places) if (from !== undefined) next.set(from, [...(next.get(from) ?? []), router.id]);
  // Iteration over a Set includes members that are added meanwhile.
  for (const id of routers) for (const behind of next.get(id) ?? []) routers.add(behind);
  return routers;
}
