/** The ways from a publisher's Transport to a viewer's that are compared. */
import * as mediasoup from 'mediasoup';
import * as ortc from 'mediasoup/ortc';
import type {
  Router,
  RouterRtpCodecCapability,
  Transport,
  WebRtcTransport,
  WebRtcTransportOptions,
} from 'mediasoup/types';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaServer,
  type MafaldaApi,
  type MafaldaRouter,
} from '../../src/index.ts';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';

const mediaCodecs: RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
];
export const routerRtpCapabilities = ortc.generateRouterRtpCapabilities(structuredClone(mediaCodecs));
const options: WebRtcTransportOptions = {
  listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }],
  initialAvailableOutgoingBitrate: 10_000_000,
};
const token = 'bench';

export interface Way {
  name: string;
  /** Whether an audio stream holds the link. */
  connected?: boolean;
  sender(): Promise<WebRtcTransport>;
  receiver(): Promise<WebRtcTransport>;
  /** Before the viewer consumes, where the application has to do something. */
  bring?(producerId: string): Promise<void>;
  /** Pipe transports that there are. */
  links(): Transport[];
  close(): Promise<void>;
}

type Opened = Omit<Way, 'name'>;

async function sameServer(): Promise<Opened> {
  const worker = await mediasoup.createWorker();
  const router = await worker.createRouter({ mediaCodecs });
  const open = (): Promise<WebRtcTransport> => router.createWebRtcTransport(options);
  return { sender: open, receiver: open, links: () => [], close: async () => worker.close() };
}

async function pipeToRouter(): Promise<Opened> {
  const workers = [await mediasoup.createWorker(), await mediasoup.createWorker()];
  const [from, to] = (await Promise.all(workers.map(worker => worker.createRouter({ mediaCodecs })))) as [
    Router,
    Router,
  ];
  const links = new Set<Transport>();
  // Once for each stream: mediasoup leaves that to the application.
  const piped = new Map<string, Promise<unknown>>();
  to.observer.on('newtransport', transport => {
    if (transport.type !== 'pipe') return;
    links.add(transport);
    transport.observer.once('close', () => links.delete(transport) && piped.clear());
  });
  return {
    sender: () => from.createWebRtcTransport(options),
    receiver: () => to.createWebRtcTransport(options),
    bring: async producerId => {
      const piping = piped.get(producerId) ?? from.pipeToRouter({ producerId, router: to });
      piped.set(producerId, piping);
      await piping;
    },
    links: () => [...links],
    close: async () => {
      for (const worker of workers) worker.close();
    },
  };
}

async function twoWorkers(): Promise<Opened> {
  const mafalda = new Mafalda(mediasoup, { workerBudget: false, idlePipeTimeout: 100 });
  const router = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: 0, maxWorkers: 2 });
  const { tree } = router as PipeableMafaldaRouter;
  const routerOf = (transport: Transport): unknown => tree.nodeOf<'transport'>(transport)?.parent?.object;
  const anchor = await router.createWebRtcTransport(options);
  const open = async (isThere: boolean): Promise<WebRtcTransport> => {
    const others: WebRtcTransport[] = [];
    for (;;) {
      const transport = await router.createWebRtcTransport(options);
      if ((routerOf(transport) === routerOf(anchor)) === isThere) {
        for (const other of others) other.close();
        return transport;
      }
      others.push(transport);
    }
  };
  return {
    sender: () => open(true),
    receiver: () => open(false),
    links: () => linksOf(router),
    close: () => mafalda.close(),
  };
}

async function serve(mafalda: MafaldaApi): Promise<{ url: string; close: () => Promise<void> }> {
  const server = new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: token });
  await server.listen();
  return {
    url: server.url,
    close: async () => {
      await server.close();
      await mafalda.close();
    },
  };
}

async function servers(tiers: 1 | 2): Promise<Opened> {
  const leaf = (): Promise<{ url: string; close: () => Promise<void> }> =>
    serve(new Mafalda(mediasoup, { workerBudget: false, idlePipeTimeout: 100 }));
  const leaves = [await leaf(), await leaf()];
  const nodes =
    tiers === 1 ? leaves : await Promise.all(leaves.map(({ url }) => serve(new MafaldaHorizontal([url], { token }))));
  const mafalda = new MafaldaHorizontal(
    nodes.map(({ url }) => url),
    { token },
  );
  await new Promise<void>(resolve => mafalda.once('connected', resolve));
  const router = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const open = (index: number) => (): Promise<WebRtcTransport> =>
    (router as unknown as { createWebRtcTransport(given: object): Promise<WebRtcTransport> }).createWebRtcTransport({
      ...options,
      placement: { node: nodes[index]!.url },
    });
  return {
    sender: open(0),
    receiver: open(1),
    links: () => linksOf(router),
    close: async () => {
      await mafalda.close();
      for (const node of nodes) await node.close();
      if (tiers === 2) for (const each of leaves) await each.close();
    },
  };
}

function linksOf(router: MafaldaRouter): Transport[] {
  return [...router.transports.values()].filter(({ type }) => type === 'pipe');
}

export async function openWays(): Promise<[Way, ...Way[]]> {
  return [
    { name: 'same server', ...(await sameServer()) },
    { name: 'pipeToRouter()', ...(await pipeToRouter()) },
    { name: 'two Workers', ...(await twoWorkers()) },
    { name: 'two Workers (connected)', connected: true, ...(await twoWorkers()) },
    { name: 'two servers', ...(await servers(1)) },
    { name: 'two servers (connected)', connected: true, ...(await servers(1)) },
    { name: 'two tiers', ...(await servers(2)) },
    { name: 'two tiers (connected)', connected: true, ...(await servers(2)) },
  ];
}
