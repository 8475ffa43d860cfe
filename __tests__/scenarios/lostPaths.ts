/** `pathlost`: what is on the way of a stream goes, and the stream is there still. */
import { describe, expect, test } from '@jest/globals';
import type { Consumer, DirectTransport, Transport } from 'mediasoup/types';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';
import { DirectSender } from '../helpers/directRtp.ts';
import { createInEveryPlace } from '../helpers/spread.ts';
import { until } from '../helpers/until.ts';
import type { Scene } from './events.ts';

/**
 * Slower than other senders: each packet is told of each Consumer, and all machines of a system share a process here,
 * which could do nothing else any more on a busy machine.
 */
const PACKET_INTERVAL_MS = 50;

export function describeLostPaths(scene: Scene): void {
  describe('pathlost', () => {
    test.concurrent('comes before the consumers close, who have the stream again at once', () =>
      inRoom(scene, async mafaldaRouter => {
        const rtpCapabilities = await mafaldaRouter.getRtpCapabilities();
        const { producer } = await startSender(mafaldaRouter);
        const consume = (transport: Transport): Promise<Consumer> =>
          transport.consume({ producerId: producer.id, rtpCapabilities });
        const told: string[] = [];
        const consumers = new Map<Consumer, Transport>();
        for (const transport of await transportsEverywhere(scene, mafaldaRouter)) {
          const consumer = await consume(transport);
          consumers.set(consumer, transport);
          consumer.on('producerclose', () => told.push(`producerclose ${consumer.id}`));
        }
        expect(brought(mafaldaRouter, producer.id)).toHaveLength(scene.places - 1);
        const end = brought(mafaldaRouter, producer.id)[0]!;
        const behind = [...consumers]
          .filter(([, transport]) => mafaldaRouter.tree.nodeOf<'transport'>(transport)?.parent === end.parent)
          .map(([consumer]) => consumer);
        expect(behind.length).toBeGreaterThan(0);

        const again: Promise<Consumer>[] = [];
        mafaldaRouter.on('pathlost', path => {
          expect([path.producerId, path.consumers.some(({ closed }) => closed)]).toEqual([producer.id, false]);
          told.push(...path.consumers.map(({ id }) => `pathlost ${id}`));
          again.push(...path.consumers.map(lost => consume(consumers.get(lost as Consumer)!)));
        });
        end.object.close();
        const replaced = await until('each has been told of both', () => told.length >= 2 * behind.length).then(() =>
          Promise.all(again),
        );
        // Consumers behind a pipe that went on from there are told as well.
        const ids = told.filter(what => what.startsWith('pathlost')).map(what => what.split(' ')[1]!);
        for (const { id } of behind) expect(ids).toContain(id);
        for (const id of ids)
          expect(told.indexOf(`producerclose ${id}`)).toBeGreaterThan(told.indexOf(`pathlost ${id}`));
        expect(told).toHaveLength(2 * ids.length);

        const received = new Set<string>();
        for (const consumer of replaced) consumer.on('rtp', () => received.add(consumer.id));
        await until('media flows again', () => received.size === replaced.length);
        expect(replaced.map(({ closed }) => closed)).toEqual(replaced.map(() => false));
      }),
    );

    test.concurrent('does not come where the stream itself has ended, or nobody is concerned', () =>
      inRoom(scene, async mafaldaRouter => {
        const rtpCapabilities = await mafaldaRouter.getRtpCapabilities();
        const { producer, transport } = await startSender(mafaldaRouter);
        const paths: unknown[] = [];
        mafaldaRouter.on('pathlost', path => paths.push(path));
        const consumers: Consumer[] = [];
        for (const sink of await transportsEverywhere(scene, mafaldaRouter))
          consumers.push(await sink.consume({ producerId: producer.id, rtpCapabilities }));
        transport.close();
        await until('all have closed', () => consumers.every(({ closed }) => closed));
        const other = await startSender(mafaldaRouter);
        const transports = await Promise.all(
          Array.from({ length: scene.places + 1 }, () => mafaldaRouter.createDirectTransport()),
        );
        for (const sink of transports) await sink.consume({ producerId: other.producer.id, rtpCapabilities });
        for (const sink of transports) sink.close();
        await until('the pipes have gone', () => brought(mafaldaRouter, other.producer.id).length === 0, 20_000);
        expect(paths).toEqual([]);
      }),
    );
  });
}

/** Closes the MafaldaRouter of a test that fails too: media that flows on would fail those that follow. */
async function inRoom(scene: Scene, act: (mafaldaRouter: PipeableMafaldaRouter) => Promise<void>): Promise<void> {
  const mafaldaRouter = scene.createSpreadRouter() as PipeableMafaldaRouter;
  try {
    await act(mafaldaRouter);
  } finally {
    await mafaldaRouter.close();
  }
}

function transportsEverywhere({ places }: Scene, mafaldaRouter: PipeableMafaldaRouter): Promise<DirectTransport[]> {
  return createInEveryPlace(mafaldaRouter, places, () => mafaldaRouter.createDirectTransport());
}

async function startSender(mafaldaRouter: PipeableMafaldaRouter): Promise<DirectSender> {
  const sender = await DirectSender.create(mafaldaRouter, 'audio');
  sender.start(PACKET_INTERVAL_MS);
  return sender;
}

/** The ends of links by which the stream comes to where it was not produced. */
function brought({ tree }: PipeableMafaldaRouter, producerId: string) {
  return [...tree.nodes()].flatMap(({ type, id, parent }) => {
    const isEnd =
      type === 'producer' && id === producerId && parent?.type === 'transport' && parent.object.type === 'pipe';
    return isEnd ? [parent] : [];
  });
}
