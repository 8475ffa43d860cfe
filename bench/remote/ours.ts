/** The same with this library: MafaldaHorizontals of one and of several nodes, and for single calls a RemoteMafaldaClient alone. */
import { once } from 'node:events';
import type { RtpCapabilities, Transport, WebRtcTransportOptions } from 'mediasoup/types';
import type { Placement } from '../../src/api/placement.ts';
import type {
  MafaldaApi,
  MafaldaHorizontal as Horizontal,
  MafaldaRouter,
  RemoteMafaldaClient as Client,
} from '../../src/index.ts';
import { MafaldaHorizontal, RemoteMafaldaClient } from './product.ts';
import { listenInfos, mediaCodecs, type Room, type Subject, type SubjectTransport } from './subject.ts';

type Creator = MafaldaRouter & {
  createWebRtcTransport(options: WebRtcTransportOptions & { placement?: Placement }): Promise<Transport>;
};

export async function openOurs(urls: readonly string[]): Promise<Subject> {
  const mafaldas = await Promise.all(urls.map((_url, index) => openHorizontal(urls.slice(0, index + 1))));
  return {
    name: 'ours',
    openRoom: async nodes => openRoom(mafaldas[nodes - 1]!.mafalda, mafaldas[nodes - 1]!.nodes),
    async close() {
      for (const { mafalda, nodes } of mafaldas) {
        await mafalda.close();
        await Promise.all(nodes.map(node => node.close()));
      }
    },
  };
}

async function openHorizontal(urls: readonly string[]): Promise<{ mafalda: Horizontal; nodes: Client[] }> {
  const nodes = urls.map(url => new RemoteMafaldaClient(url));
  await Promise.all(nodes.map(node => once(node, 'connected')));
  return { mafalda: new MafaldaHorizontal(nodes), nodes };
}

/** A server without a cluster around it: the cost of a call on the wire. */
export async function openClient(url: string): Promise<Subject> {
  const client = new RemoteMafaldaClient(url);
  await once(client, 'connected');
  return { name: 'ours', openRoom: async () => openRoom(client), close: () => client.close() };
}

async function openRoom(
  mafalda: { createMafaldaRouter(options: object): MafaldaRouter },
  nodes: readonly MafaldaApi[] = [],
): Promise<Room> {
  const router = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs: [...mediaCodecs] } }) as Creator;
  const rtpCapabilities = await router.getRtpCapabilities();
  return {
    async createTransport(node) {
      const placement = nodes.length > 1 ? { node: nodes[node]! } : undefined;
      const transport = await router.createWebRtcTransport({
        listenInfos: [...listenInfos],
        ...(placement && { placement }),
      });
      return subjectTransport(transport, rtpCapabilities);
    },
    close: () => router.close(),
  };
}

export function subjectTransport(transport: Transport, rtpCapabilities: RtpCapabilities): SubjectTransport {
  return {
    produce: async (kind, rtpParameters) => (await transport.produce({ kind, rtpParameters })).id,
    consume: (producerId, paused) => transport.consume({ producerId, rtpCapabilities, paused }),
    close: () => transport.close(),
  };
}
