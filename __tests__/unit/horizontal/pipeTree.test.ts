/** Where pipes between nodes start, on real nodes with real media. Only their loads are made up. */
import { expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { Mafalda, MafaldaHorizontal } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';

const opened = closingAfterEach();

const WATERMARK = 66;
const LOAD_OF_A_PIPE = 15;

/** A node on which each pipe that starts there shows. */
class LoadedMafalda extends Mafalda {
  readonly #otherLoad: number;

  constructor(otherLoad: number) {
    super(mediasoup, { workerBudget: false });
    this.#otherLoad = otherLoad;
  }

  override get load(): number {
    const nodes = [...this.own.values()].flatMap(({ tree }) => [...tree.nodes()]);
    const pipes = nodes.filter(
      ({ type, parent }) => type === 'consumer' && parent?.type === 'transport' && parent.object.type === 'pipe',
    );
    return this.#otherLoad + LOAD_OF_A_PIPE * pipes.length;
  }
}

/** A producer on the first node, and a consumer on each of the others, one after the other. @returns the node that each has it from */
async function spread(nodes: LoadedMafalda[]): Promise<number[]> {
  const mafalda = opened(new MafaldaHorizontal(nodes, { watermarkNode: WATERMARK }));
  const mafaldaRouter = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const sender = await RtpSender.create(mafaldaRouter, 'audio', undefined, { placement: { node: nodes[0] } });
  const receivers: RtpReceiver[] = [];
  for (const node of nodes.slice(1))
    receivers.push(await RtpReceiver.create(mafaldaRouter, sender.producer.id, { placement: { node } }));
  await openPath(sender, receivers);
  expect(await countPackets(sender, receivers, 50)).toEqual(receivers.map(() => 50));

  const { pipes } = await mafaldaRouter.dump();
  expect(pipes).toHaveLength(receivers.length);
  const nodeOf = (routerId: string): number => nodes.findIndex(({ routers }) => routers.has(routerId));
  return nodes.slice(1).map((_node, index) => nodeOf(pipes.find(({ to }) => nodeOf(to) === index + 1)!.from));
}

function depths(sources: number[]): number[] {
  const depth = (node: number): number => (node === 0 ? 0 : 1 + depth(sources[node - 1]!));
  return sources.map((_source, index) => depth(index + 1));
}

function nodes(...loads: number[]): LoadedMafalda[] {
  return loads.map(load => opened(new LoadedMafalda(load)));
}

test('a stream goes from its own node to eight others while that has room', async () => {
  expect(await spread(nodes(-100, ...Array<number>(8).fill(30)))).toEqual(Array(8).fill(0));
});

test('above the watermark the others pass it on: a tree', async () => {
  const sources = await spread(nodes(80, ...Array<number>(8).fill(30)));
  const fanOut = Array.from({ length: 9 }, (_, node) => sources.filter(source => source === node).length);
  // The first one has no choice; each of the others takes what fits below its watermark.
  expect(fanOut[0]).toBe(1);
  expect(Math.max(...fanOut)).toBeLessThanOrEqual(Math.ceil((WATERMARK - 30) / LOAD_OF_A_PIPE));
  expect(Math.max(...depths(sources))).toBeLessThanOrEqual(3);
});

test('and where all of them are above it, no chain', async () => {
  const sources = await spread(nodes(80, ...Array<number>(8).fill(70)));
  expect(Math.max(...depths(sources))).toBeLessThanOrEqual(4);
});
