/**
 * The other process of `remote.ts`: a Mafalda behind its server; a bare socket.io server that acknowledges; and what somebody would write
 * by hand, who needs just these three calls and nothing else.
 */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as mediasoup from 'mediasoup';
import type { ConsumerOptions, ProducerOptions, WebRtcTransport, WebRtcTransportOptions } from 'mediasoup/types';
import { Server, type Socket } from 'socket.io';
import { Mafalda, RemoteMafaldaServer } from 'mafalda-horizontal';

const server = new RemoteMafaldaServer(new Mafalda(mediasoup, { workerBudget: false }), { host: '127.0.0.1' });
await server.listen();

const worker = await mediasoup.createWorker();
const router = await worker.createRouter({ mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }] });

function byHand(socket: Socket): void {
  let transport: WebRtcTransport;
  socket.on('createWebRtcTransport', async (options: WebRtcTransportOptions, acknowledge: (answer: unknown) => void) => {
    transport = await router.createWebRtcTransport(options);
    const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
    acknowledge({ id, iceParameters, iceCandidates, dtlsParameters });
  });
  socket.on('produce', async (options: ProducerOptions, acknowledge: (answer: unknown) => void) => {
    const { id } = await transport.produce(options);
    acknowledge({ id });
  });
  socket.on('consume', async (options: ConsumerOptions, acknowledge: (answer: unknown) => void) => {
    const { id, kind, rtpParameters, type, producerPaused } = await transport.consume(options);
    acknowledge({ id, kind, rtpParameters, type, producerPaused });
  });
  socket.on('close', () => transport.close());
}

const http = createServer();
new Server(http, { transports: ['websocket'], serveClient: false }).on('connection', socket => {
  let answers: Record<string, unknown> = {};
  socket.on('answers', (given: Record<string, unknown>, acknowledge: () => void) => {
    answers = given;
    acknowledge();
  });
  socket.on('call', (name: string, _request: unknown, acknowledge: (answer: unknown) => void) => acknowledge(answers[name]));
  byHand(socket);
});
http.listen(0, '127.0.0.1');
await once(http, 'listening');
process.on('disconnect', () => process.exit());
process.send!({ mafalda: server.url, bare: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
