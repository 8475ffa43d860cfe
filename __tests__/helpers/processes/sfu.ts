/** The example's SFU over two servers in this process, which tells on request what its WebRtcTransports have told. */
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import type { WebRtcTransport } from 'mediasoup/types';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaServer } from 'mafalda-horizontal';
import { evenly } from '../evenly.ts';
import { startSfuServer } from '../../../examples/sfu-server/sfuServer.ts';

/** One WebRtcTransport, as the application of the SFU sees it. */
export interface TransportStory {
  /** Events with what they bring, in their order. */
  told: string[];
  /** Types of the trace events. */
  traced: string[];
  iceState: string;
  dtlsState: string;
  selectedProtocol: string | undefined;
  hasRemoteCertificate: boolean;
}

const listenInfos = [{ protocol: 'udp', ip: '127.0.0.1' }] as const;
const servers = [0, 1].map(
  () =>
    new RemoteMafaldaServer(new Mafalda(mediasoup, { workerBudget: false }), {
      host: '127.0.0.1',
      auth: false,
      listenInfos: [...listenInfos],
    }),
);
for (const server of servers) await server.listen();
const mafalda = new MafaldaHorizontal(
  servers.map(({ url }) => url),
  { strategy: evenly },
);
await once(mafalda, 'connected');

const stories = new Map<WebRtcTransport, Pick<TransportStory, 'told' | 'traced'>>();

function follow(transport: WebRtcTransport): void {
  const story = { told: [] as string[], traced: [] as string[] };
  stories.set(transport, story);
  transport.on('icestatechange', state => story.told.push(`ice ${state}`));
  transport.on('iceselectedtuplechange', ({ protocol }) => story.told.push(`tuple ${protocol}`));
  transport.on('dtlsstatechange', state => story.told.push(`dtls ${state}`));
  transport.on('trace', ({ type }) => story.traced.push(type));
  transport.enableTraceEvent(['bwe', 'probation']).catch(error => console.error(error));
}

mafalda.on('newmafaldarouter', mafaldaRouter => {
  mafaldaRouter.on('newrouter', router => {
    router.observer.on(
      'newtransport',
      transport => transport.type === 'webrtc' && follow(transport as WebRtcTransport),
    );
  });
});

const sfu = await startSfuServer({ mafalda, host: '127.0.0.1', port: 0 });

process.on('message', () => {
  const told = [...stories].map(([transport, { told, traced }]): TransportStory => {
    const { iceState, dtlsState, iceSelectedTuple, dtlsRemoteCert } = transport;
    const hasRemoteCertificate = dtlsRemoteCert?.includes('BEGIN CERTIFICATE') ?? false;
    return {
      told,
      traced: [...new Set(traced)],
      iceState,
      dtlsState,
      selectedProtocol: iceSelectedTuple?.protocol,
      hasRemoteCertificate,
    };
  });
  process.send!(told);
});
process.on('disconnect', () => process.exit());
process.send!(sfu.url);
