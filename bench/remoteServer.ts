/** The other process of `remote.ts`: a Mafalda behind its server, and a bare socket.io server that acknowledges. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as mediasoup from 'mediasoup';
import { Server } from 'socket.io';
import { Mafalda, RemoteMafaldaServer } from 'mafalda-horizontal';

const server = new RemoteMafaldaServer(new Mafalda(mediasoup, { workerBudget: false }), { host: '127.0.0.1' });
await server.listen();

const http = createServer();
new Server(http, { transports: ['websocket'], serveClient: false }).on('connection', socket => {
  let answers: Record<string, unknown> = {};
  socket.on('answers', (given: Record<string, unknown>, acknowledge: () => void) => {
    answers = given;
    acknowledge();
  });
  socket.on('call', (name: string, _request: unknown, acknowledge: (answer: unknown) => void) => acknowledge(answers[name]));
});
http.listen(0, '127.0.0.1');
await once(http, 'listening');
process.on('disconnect', () => process.exit());
process.send!({ mafalda: server.url, bare: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
