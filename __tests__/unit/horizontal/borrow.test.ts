/** A media server that borrows: its own machine first, and when that is full a cluster behind a central server. Real media, of which only the load is made up. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import type { PipeTransport } from 'mediasoup/types';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaServer,
  type MafaldaApi,
  type MafaldaRouter,
} from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';

const opened = closingAfterEach();

const LOAD_OF_A_TRANSPORT = 10;
/** How many Transports the own machine has room for, with what is expected of them at first. */
const ROOM = 3;
const WATERMARK = LOAD_OF_A_TRANSPORT * ROOM - LOAD_OF_A_TRANSPORT / 2 + 1;

/** A machine on which each Transport of a person shows at once. */
class LoadedMafalda extends Mafalda {
  constructor() {
    super(mediasoup, { workerBudget: false });
  }

  override get load(): number {
    return LOAD_OF_A_TRANSPORT * [...this.transports.values()].filter(({ type }) => type !== 'pipe').length;
  }
}

interface Borrowing {
  own: LoadedMafalda;
  leaves: Served[];
  central: { url: string; close: () => Promise<void> };
  mafalda: MafaldaHorizontal;
  room: MafaldaRouter;
}

async function borrowing(): Promise<Borrowing> {
  const leaves = [opened(await Served.create()), opened(await Served.create())];
  const cluster = opened(new MafaldaHorizontal(leaves.map(({ url }) => url)));
  await once(cluster, 'connected');
  const central = opened(new RemoteMafaldaServer(cluster, { host: '127.0.0.1', auth: false }));
  await central.listen();
  const own = opened(new LoadedMafalda());
  const mafalda = opened(new MafaldaHorizontal([own, central.url], { watermarkNode: WATERMARK }));
  await once(mafalda, 'connected');
  return { own, leaves, central, mafalda, room: mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } }) };
}

function linksOf({ transports }: MafaldaApi): PipeTransport[] {
  return [...transports.values()].filter((transport): transport is PipeTransport => transport.type === 'pipe');
}

test('a room fills the own machine, spans both when that is full, and media runs between the two that hold it', async () => {
  const { own, leaves, central, mafalda, room } = await borrowing();
  const isOwn = ({ transport }: RtpSender | RtpReceiver): boolean => mafalda.nodeOf(transport) === own;
  const senders: RtpSender[] = [];
  for (let person = 0; person < ROOM + 1; ++person) senders.push(await RtpSender.create(room, 'audio'));
  expect(senders.map(isOwn)).toEqual([true, true, true, false]);
  expect(mafalda.nodeOf(senders[ROOM]!.transport)).toMatchObject({ url: central.url });

  const [home, borrowed] = [senders[0]!, senders[ROOM]!];
  const there = await RtpReceiver.create(room, home.producer.id);
  const here = await RtpReceiver.create(room, borrowed.producer.id, { placement: { node: own } });
  expect([isOwn(there), isOwn(here)]).toEqual([false, true]);
  await openPath(home, [there]);
  await openPath(borrowed, [here]);
  expect(await countPackets(home, [there], 20)).toEqual([20]);
  expect(await countPackets(borrowed, [here], 20)).toEqual([20]);

  // The central server has no media: the own machine sends to the port of a media server, and the other way round.
  const ends = leaves.flatMap(leaf => linksOf(leaf.mafalda));
  expect(linksOf(own).map(({ tuple }) => tuple.remotePort)).toEqual(ends.map(({ tuple }) => tuple.localPort));
  expect(ends.map(({ tuple }) => tuple.remotePort)).toEqual(linksOf(own).map(({ tuple }) => tuple.localPort));
  expect(ends).toHaveLength(1);
});

test('when there is room at home again, it is used, whatever the cluster has; and so it is when the cluster is away', async () => {
  const { own, central, mafalda, room } = await borrowing();
  const nodes: (MafaldaApi | undefined)[] = [];
  const join = async (): Promise<void> => void nodes.push(mafalda.nodeOf(await room.createDirectTransport()));
  for (let person = 0; person < ROOM + 2; ++person) await join();
  const atHome = [...own.transports.values()];
  for (const transport of atHome) transport.close();
  await join();
  const elsewhere = [...mafalda].find(node => node !== own);
  expect(nodes).toEqual([own, own, own, elsewhere, elsewhere, own]);

  for (let person = 1; person < ROOM; ++person) await join();
  const lost = once(mafalda, 'nodedisconnected');
  await central.close();
  await lost;
  await join();
  expect(nodes.slice(-ROOM)).toEqual([own, own, own]);
});
