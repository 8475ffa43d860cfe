/**
 * A server as an application would write it that needs just this and nothing else: socket.io over plain mediasoup. Nothing of it is mirrored, checked, limited,
 * kept over a lost connection or closed with its caller. Pipes are those of `pipeToRouter()` over the network: encrypted, with retransmission.
 */
import type { Worker } from 'mediasoup/types';
import type {
  Consumer,
  PipeTransport,
  Router,
  RtpCapabilities,
  RtpParameters,
  SrtpParameters,
  Transport,
  WebRtcTransportOptions,
} from 'mediasoup/types';
import type { Socket } from 'socket.io';

export interface PipedParameters {
  id: string;
  kind: 'audio' | 'video';
  rtpParameters: RtpParameters;
  paused: boolean;
}

export interface ConsumeRequest {
  transport: string;
  producerId: string;
  rtpCapabilities: RtpCapabilities;
  paused?: boolean;
  /** To be produced first, at this end of a link. */
  piped?: { link: string; stream: PipedParameters };
}

type Acknowledge = (answer: object) => void;

const PIPE_ADDRESS = { protocol: 'udp', ip: '127.0.0.1' } as const;

export function serveByHand(socket: Socket, worker: Worker, mediaCodecs: Parameters<Worker['createRouter']>[0]): void {
  const routers = new Map<string, Router>();
  const transports = new Map<string, Transport>();
  const links = new Map<string, PipeTransport>();
  const consumers = new Map<string, Consumer>();

  socket.on('createRouter', async (_request: object, acknowledge: Acknowledge) => {
    const router = await worker.createRouter(mediaCodecs);
    routers.set(router.id, router);
    acknowledge({ id: router.id, rtpCapabilities: router.rtpCapabilities });
  });
  socket.on('closeRouter', ({ id }: { id: string }) => {
    routers.get(id)?.close();
    routers.delete(id);
  });
  socket.on(
    'createWebRtcTransport',
    async ({ router, options }: { router: string; options: WebRtcTransportOptions }, acknowledge: Acknowledge) => {
      const transport = await routers.get(router)!.createWebRtcTransport(options);
      const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
      transports.set(id, transport);
      transport.observer.once('close', () => transports.delete(id));
      acknowledge({ id, iceParameters, iceCandidates, dtlsParameters });
    },
  );
  socket.on('closeTransport', ({ id }: { id: string }) => transports.get(id)?.close());
  socket.on(
    'produce',
    async (
      { transport, kind, rtpParameters }: { transport: string } & Pick<PipedParameters, 'kind' | 'rtpParameters'>,
      acknowledge: Acknowledge,
    ) => {
      const { id } = await transports.get(transport)!.produce({ kind, rtpParameters });
      acknowledge({ id });
    },
  );
  socket.on(
    'consume',
    async ({ transport, producerId, rtpCapabilities, paused, piped }: ConsumeRequest, acknowledge: Acknowledge) => {
      if (piped) await links.get(piped.link)!.produce(piped.stream);
      const consumer = await transports.get(transport)!.consume({ producerId, rtpCapabilities, paused });
      const { id, kind, rtpParameters, type, producerPaused } = consumer;
      consumers.set(id, consumer);
      consumer.observer.once('close', () => consumers.delete(id));
      acknowledge({ id, kind, rtpParameters, type, producerPaused });
    },
  );
  socket.on('openLink', async ({ router }: { router: string }, acknowledge: Acknowledge) => {
    const link = await routers
      .get(router)!
      .createPipeTransport({ listenInfo: PIPE_ADDRESS, enableRtx: true, enableSrtp: true });
    links.set(link.id, link);
    link.observer.once('close', () => links.delete(link.id));
    acknowledge({
      id: link.id,
      ip: link.tuple.localAddress,
      port: link.tuple.localPort,
      srtpParameters: link.srtpParameters,
    });
  });
  socket.on(
    'connectLink',
    async (
      { link, ip, port, srtpParameters }: { link: string; ip: string; port: number; srtpParameters: SrtpParameters },
      acknowledge: Acknowledge,
    ) => {
      await links.get(link)!.connect({ ip, port, srtpParameters });
      acknowledge({});
    },
  );
  socket.on('offer', async ({ link, producerId }: { link: string; producerId: string }, acknowledge: Acknowledge) => {
    const { kind, rtpParameters, producerPaused: paused } = await links.get(link)!.consume({ producerId });
    acknowledge({ id: producerId, kind, rtpParameters, paused });
  });
}
