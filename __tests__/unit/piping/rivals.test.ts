/**
 * Two controllers bring the same stream to the same node at the same moment. Each is near one node and far from the
 * other, so that each is the first at another end.
 */
import { beforeEach, expect, test } from '@jest/globals';
import type { Consumer, DirectTransport } from 'mediasoup/types';
import type { PipeableMafaldaRouter } from '../../../src/base/pipeableMafaldaRouter.ts';
import { MafaldaHorizontal } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { delayProxy } from '../../helpers/delayProxy.ts';
import { DirectSender } from '../../helpers/directRtp.ts';
import { copiesOf, pipesOf } from '../../helpers/pipes.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const FAR_MS = 40;
const STREAMS = 10;

let rooms: PipeableMafaldaRouter[];
/** URL of the node with the origins, for the first controller. */
let sourceUrl: string;
/** URLs of the node with the viewers, for each controller. */
let sinkUrls: string[];

beforeEach(async () => {
  const nodes = [opened(await Served.create()), opened(await Served.create())] as const;
  const far = [opened(await delayProxy(nodes[0].url, FAR_MS)), opened(await delayProxy(nodes[1].url, FAR_MS))] as const;
  sourceUrl = nodes[0].url;
  sinkUrls = [far[1].url, nodes[1].url];
  rooms = [
    [sourceUrl, far[1].url],
    [far[0].url, nodes[1].url],
  ].map(
    urls =>
      opened(new MafaldaHorizontal(urls)).createMafaldaRouter({
        id: 'room',
        routerOptions: { mediaCodecs },
      }) as PipeableMafaldaRouter,
  );
});

/** Creates a sender that both controllers know of. */
async function send(): Promise<DirectSender> {
  const sender = await DirectSender.create(rooms[0]!, 'audio', undefined, { placement: { node: sourceUrl } });
  await until('both know the stream', () => rooms.every(({ streams }) => streams.first(sender.producer.id)));
  sender.start();
  return sender;
}

test.each([
  ['both know the link', [0, 1]],
  ['one knows the link', [0]],
  ['the other one knows the link', [1]],
  ['neither knows the link', []],
])('%s: each has a consumer that hears, and a single pipe stays', async (_name, knowing) => {
  const sinks: DirectTransport[] = await Promise.all(
    rooms.map((room, index) => room.createDirectTransport({ placement: { node: sinkUrls[index]! } })),
  );
  const rtpCapabilities = await rooms[0]!.getRtpCapabilities();
  const consume = (index: number, producerId: string): Promise<Consumer> =>
    sinks[index]!.consume({ producerId, rtpCapabilities });
  for (const index of knowing) await consume(index, (await send()).producer.id);

  const senders: DirectSender[] = [];
  for (let count = 0; count < STREAMS; ++count) senders.push(await send());
  const ids = senders.map(({ producer }) => producer.id);
  const heard = await Promise.all(
    ids.flatMap(id =>
      rooms.map(async (_room, index) => {
        const consumer = await consume(index, id);
        let packets = 0;
        consumer.on('rtp', () => ++packets);
        return { consumer, packets: () => packets };
      }),
    ),
  );
  await until('all hear', () => heard.every(({ packets }) => packets() > 3));
  await until('a single pipe of each stream is left', () => ids.every(id => pipesOf(rooms[0]!, id).length === 1));
  // Longer than ends wait for each other.
  await new Promise(resolve => setTimeout(resolve, 6000));
  const before = heard.map(({ packets }) => packets());
  await until('all go on hearing', () => heard.every(({ packets }, index) => packets() > before[index]! + 3));
  expect(heard.filter(({ consumer }) => consumer.closed)).toEqual([]);
  expect(ids.map(id => [pipesOf(rooms[1]!, id).length, copiesOf(rooms[1]!, id).length])).toEqual(ids.map(() => [1, 1]));
});
