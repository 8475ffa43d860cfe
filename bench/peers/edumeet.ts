/**
 * edumeet-media-node: its server with one Worker, twice, and here what its room server does: the same requests, in the same order. It is on GitHub only, so a
 * checkout is given, built as its README says.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as mediasoup from 'mediasoup';
import type { RtpCapabilities, RtpParameters, SrtpParameters } from 'mediasoup/types';
import { io, type Socket } from 'socket.io-client';
import type { Room } from '../remote/subject.ts';
import type { Peer } from './peer.ts';
import { Pipes } from './pipes.ts';
import { freePort, startProcess } from './startProcess.ts';

const SECRET = 'secret-of-the-bench';
/** First UDP port of the first server; each has the range of its defaults, 250 ports. */
const FIRST_MEDIA_PORT = 40_000;
const MEDIA_PORTS = 250;

/** Router of a server, as the server tells it. */
interface MediaRouter {
  id: string;
  rtpCapabilities: RtpCapabilities;
  socket: Socket;
}

interface LinkEnd {
  id: string;
  ip: string;
  port: number;
  srtpParameters: SrtpParameters;
  router: MediaRouter;
}

let rooms = 0;

/**
 * @param checkout folder of a checkout that was built
 * @throws {Error} if it can't be started here, with the reason
 */
export async function openEdumeet(checkout: string | undefined): Promise<Peer> {
  if (checkout === undefined)
    throw new Error('it is not in the npm registry: give the folder of a checkout as MAFALDA_BENCH_EDUMEET');
  const script = join(checkout, 'dist/server.js');
  if (!existsSync(script))
    throw new Error(`${script} is not there: build it, as its README says (yarn install && yarn build)`);
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };
  const servers: { child: ChildProcess; socket: Socket }[] = [];
  for (const index of [0, 1]) {
    const port = await freePort();
    const firstPort = FIRST_MEDIA_PORT + index * MEDIA_PORTS;
    const child = await startProcess({
      command: process.execPath,
      args: [
        script,
        ...['--ip', '127.0.0.1', '--listenHost', '127.0.0.1', '--listenPort', String(port), '--secret', SECRET],
        ...['--numberOfWorkers', '1', '--rtcMinPort', String(firstPort)],
        ...['--rtcMaxPort', String(firstPort + MEDIA_PORTS - 1)],
      ],
      cwd: checkout,
      env: { MEDIASOUP_WORKER_BIN: mediasoup.workerBin },
      ready: /httpsServer\.listen/,
    });
    servers.push({ child, socket: await connect(port) });
  }
  const sockets = servers.map(({ socket }) => socket);
  const keeper = await getRouters(sockets.slice(0, 1));
  return {
    name: 'edumeet-media-node',
    version,
    pids: servers.map(({ child }) => child.pid!),
    // Each answer has the load of the server, as of its latest look at it. This is the shortest one.
    loadReport: () =>
      ask(sockets[0]!, 'canConsume', {
        routerId: keeper[0]!.id,
        producerId: 'none',
        rtpCapabilities: { codecs: [] },
      }),
    openRoom: async nodes => openRoom(await getRouters(sockets.slice(0, nodes))),
    async close() {
      for (const socket of sockets) socket.disconnect();
    },
  };
}

/** Connects as its room server does, which trusts any certificate. */
async function connect(port: number): Promise<Socket> {
  const socket = io(`wss://127.0.0.1:${port}?secret=${SECRET}`, {
    transports: ['websocket'],
    rejectUnauthorized: false,
  });
  await new Promise<void>(resolve => socket.once('connect', resolve));
  return socket;
}

async function getRouters(sockets: readonly Socket[]): Promise<MediaRouter[]> {
  const roomId = `room-${++rooms}`;
  return Promise.all(
    sockets.map(async socket => ({
      ...(await ask<Omit<MediaRouter, 'socket'>>(socket, 'getRouter', { roomId })),
      socket,
    })),
  );
}

function openRoom(routers: readonly MediaRouter[]): Room {
  const pipes = new Pipes<MediaRouter, LinkEnd>(routers, { openLink, pipe });
  return {
    async createTransport(node) {
      const router = routers[node]!;
      const [{ socket, rtpCapabilities }, routerId] = [router, router.id];
      const { id: transportId } = await ask<{ id: string }>(socket, 'createWebRtcTransport', { routerId });
      return {
        async produce(kind, rtpParameters) {
          const { id } = await ask<{ id: string }>(socket, 'produce', { routerId, transportId, kind, rtpParameters });
          pipes.produced(id, router);
          return id;
        },
        // It always begins with video that is paused and audio that is not.
        async consume(producerId) {
          await pipes.bring(producerId, router);
          return ask(socket, 'consume', { routerId, transportId, producerId, rtpCapabilities });
        },
        close: () => void ask(socket, 'closeWebRtcTransport', { routerId, transportId }),
      };
    },
    async close() {
      await Promise.all(routers.map(({ socket, id }) => ask(socket, 'closeRouter', { routerId: id })));
    },
  };
}

async function openLink(one: MediaRouter, other: MediaRouter): Promise<[LinkEnd, LinkEnd]> {
  const ends = await Promise.all(
    [one, other].map(async router => ({
      ...(await ask<Omit<LinkEnd, 'router'>>(router.socket, 'createPipeTransport', { routerId: router.id })),
      router,
    })),
  );
  const [first, second] = ends as [LinkEnd, LinkEnd];
  const join = (end: LinkEnd, { ip, port, srtpParameters }: LinkEnd): Promise<unknown> =>
    ask(end.router.socket, 'connectPipeTransport', {
      routerId: end.router.id,
      pipeTransportId: end.id,
      ...{ ip, port, srtpParameters },
    });
  await Promise.all([join(first, second), join(second, first)]);
  return [first, second];
}

async function pipe(producerId: string, from: LinkEnd, to: LinkEnd): Promise<string> {
  const { kind, rtpParameters, producerPaused } = await ask<{
    kind: string;
    rtpParameters: RtpParameters;
    producerPaused: boolean;
  }>(from.router.socket, 'createPipeConsumer', {
    routerId: from.router.id,
    pipeTransportId: from.id,
    producerId,
  });
  await ask(to.router.socket, 'createPipeProducer', {
    routerId: to.router.id,
    pipeTransportId: to.id,
    producerId,
    kind,
    rtpParameters,
    paused: producerPaused,
  });
  return producerId;
}

/** @throws {Error} with what the server answers instead of a result */
async function ask<T>(socket: Socket, method: string, data: object): Promise<T> {
  const [error, result] = await new Promise<[unknown, T]>(resolve =>
    socket.emit('request', { method, data }, (...answer: [unknown, T]) => resolve(answer)),
  );
  if (error) throw new Error(`${method}: ${JSON.stringify(error)}`);
  return result;
}
