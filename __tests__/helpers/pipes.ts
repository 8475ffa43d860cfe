/** The pipes of a MafaldaRouter, and viewers of what comes through them. */
import type { Consumer, DataConsumer, Producer } from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';
import type { TreeNode } from '../../src/core/objectTree.ts';
import { isLinkTransport } from '../../src/piping/endpoint.ts';
import { RtpReceiver } from './rtp.ts';

/** The Consumers of a stream's pipes, each at its source's end. */
export function pipesOf(mafaldaRouter: MafaldaRouter, streamId: string): (Consumer | DataConsumer)[] {
  const pipes: (Consumer | DataConsumer)[] = [];
  for (const { type, object } of endsOf(mafaldaRouter)) {
    if (type === 'consumer' && object.producerId === streamId) pipes.push(object);
    if (type === 'dataConsumer' && object.dataProducerId === streamId) pipes.push(object);
  }
  return pipes;
}

/** Copies that pipes have made of a stream. */
export function copiesOf(mafaldaRouter: MafaldaRouter, streamId: string): Producer[] {
  const copies: Producer[] = [];
  for (const { type, object, id } of endsOf(mafaldaRouter))
    if (type === 'producer' && id === streamId) copies.push(object);
  return copies;
}

/** How many packets of a stream all of its pipes have sent so far. */
export async function carried(mafaldaRouter: MafaldaRouter, streamId: string): Promise<number> {
  let packets = 0;
  for (const pipe of pipesOf(mafaldaRouter, streamId)) {
    for (const stats of await pipe.getStats())
      if ('packetCount' in stats && stats.type === 'outbound-rtp') packets += stats.packetCount;
  }
  return packets;
}

/** Makes a viewer for each of these places, all at once. @param where options of each one's transport, such as `placement` */
export function createViewers(
  mafaldaRouter: MafaldaRouter,
  producerId: string,
  where: readonly object[],
  paused = false,
): Promise<RtpReceiver[]> {
  return Promise.all(where.map(options => RtpReceiver.create(mafaldaRouter, producerId, options, paused)));
}

/** Whether each of them has got something. */
export function allSee(viewers: readonly RtpReceiver[]): boolean {
  return viewers.every(({ received }) => received.size > 0);
}

export async function resumeAll(viewers: readonly RtpReceiver[]): Promise<void> {
  await Promise.all(viewers.map(({ consumer }) => consumer.resume()));
}

export async function pauseAll(viewers: readonly RtpReceiver[]): Promise<void> {
  await Promise.all(viewers.map(({ consumer }) => consumer.pause()));
}

function* endsOf(mafaldaRouter: MafaldaRouter): Generator<TreeNode> {
  for (const node of (mafaldaRouter as PipeableMafaldaRouter).tree.nodes()) {
    if (node.parent?.type === 'transport' && isLinkTransport(node.parent.object)) yield node;
  }
}
