/**
 * A media server for `remote.ts`, in a process of its own: a Mafalda behind its server, or the one by hand. The one by hand also acknowledges bare packets, and tells what its Worker uses.
 */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as mediasoup from 'mediasoup';
import type { Worker } from 'mediasoup/types';
import { Server } from 'socket.io';
import { heapUsed } from './heap.ts';
import { serveByHand } from './byHandServer.ts';
import { Mafalda, RemoteMafaldaServer } from './product.ts';
import { mediaCodecs } from './subject.ts';

const workers: Worker[] = [];
mediasoup.observer.on('newworker', worker => {
  workers.push(worker);
  worker.observer.once('close', () => workers.splice(workers.indexOf(worker), 1));
});

async function startOurs(): Promise<string> {
  const server = new RemoteMafaldaServer(new Mafalda(mediasoup, { workerBudget: false }), {
    host: '127.0.0.1',
    auth: false,
  });
  await server.listen();
  return server.url;
}

async function startByHand(): Promise<string> {
  const worker = await mediasoup.createWorker();
  const http = createServer();
  new Server(http, { transports: ['websocket'], serveClient: false }).on('connection', socket => {
    let answers: Record<string, unknown> = {};
    socket.on('answers', (given: Record<string, unknown>, acknowledge: () => void) => {
      answers = given;
      acknowledge();
    });
    socket.on('bare', (name: string, _request: unknown, acknowledge: (answer: unknown) => void) =>
      acknowledge(answers[name]),
    );
    socket.on('usage', async (acknowledge: (usage: unknown) => void) => acknowledge(await worker.getResourceUsage()));
    serveByHand(socket, worker, { mediaCodecs: [...mediaCodecs] });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

/** Of this process and its Workers, in ms. */
async function cpu(): Promise<number> {
  const { user, system } = process.cpuUsage();
  // A Worker may just be closing.
  const usages = await Promise.all(
    workers.map(worker => worker.getResourceUsage().catch(() => ({ ru_utime: 0, ru_stime: 0 }))),
  );
  return (user + system) / 1000 + usages.reduce((sum, { ru_utime, ru_stime }) => sum + ru_utime + ru_stime, 0);
}

process.on('disconnect', () => process.exit());
process.on('message', what => {
  if (what === 'heap') process.send!(heapUsed());
  else void cpu().then(ms => process.send!(ms));
});
process.send!(await (process.argv[2] === 'ours' ? startOurs() : startByHand()));
