/** The other side of `byHandServer.ts`: data and ids, and pipes that are made once for each stream and server. */
import type { RtpCapabilities, RtpParameters } from 'mediasoup/types';
import { io, type Socket } from 'socket.io-client';
import type { ConsumeRequest, PipedParameters } from './byHandServer.ts';
import { listenInfos, type Room, type Subject, type SubjectTransport } from './subject.ts';

export async function openByHand(urls: readonly string[]): Promise<Subject> {
  const sockets = urls.map(url => io(url, { transports: ['websocket'] }));
  await Promise.all(sockets.map(socket => new Promise<void>(resolve => socket.once('connect', resolve))));
  return {
    name: 'by hand',
    async openRoom(nodes) {
      const routers = await Promise.all(
        sockets
          .slice(0, nodes)
          .map(async socket => ({ socket, ...(await ask<CreatedRouter>(socket, 'createRouter', {})) })),
      );
      return new RoomByHand(routers);
    },
    async close() {
      for (const socket of sockets) socket.disconnect();
    },
  };
}

interface CreatedRouter {
  id: string;
  rtpCapabilities: RtpCapabilities;
}

interface Placed extends CreatedRouter {
  socket: Socket;
}

class RoomByHand implements Room {
  readonly #routers: readonly Placed[];
  readonly #streams = new Map<string, Placed>();
  readonly #links = new Map<string, Promise<[string, string]>>();
  /** When a stream has arrived at a server, by both. */
  readonly #arrived = new Map<string, Promise<unknown>>();

  constructor(routers: readonly Placed[]) {
    this.#routers = routers;
  }

  async createTransport(node: number): Promise<SubjectTransport> {
    const router = this.#routers[node]!;
    const { socket } = router;
    const { id } = await ask<{ id: string }>(socket, 'createWebRtcTransport', {
      router: router.id,
      options: { listenInfos },
    });
    return {
      produce: async (kind: 'audio' | 'video', rtpParameters: RtpParameters) => {
        const created = await ask<{ id: string }>(socket, 'produce', { transport: id, kind, rtpParameters });
        this.#streams.set(created.id, router);
        return created.id;
      },
      consume: (producerId, paused) =>
        this.#consume(router, { transport: id, producerId, rtpCapabilities: router.rtpCapabilities, paused }),
      close: () => void socket.emit('closeTransport', { id }),
    };
  }

  async close(): Promise<void> {
    for (const { socket, id } of this.#routers) socket.emit('closeRouter', { id });
  }

  async #consume(to: Placed, request: ConsumeRequest): Promise<unknown> {
    const from = this.#streams.get(request.producerId)!;
    if (from === to) return ask(to.socket, 'consume', request);
    const key = `${request.producerId} ${to.id}`;
    const arrived = this.#arrived.get(key);
    if (arrived) {
      await arrived;
      return ask(to.socket, 'consume', request);
    }
    const consumed = this.#pipe(from, to, request);
    this.#arrived.set(key, consumed);
    return consumed;
  }

  async #pipe(from: Placed, to: Placed, request: ConsumeRequest): Promise<unknown> {
    const [sending, receiving] = await this.#linkOf(from, to);
    const stream = await ask<PipedParameters>(from.socket, 'offer', { link: sending, producerId: request.producerId });
    return ask(to.socket, 'consume', { ...request, piped: { link: receiving, stream } });
  }

  async #linkOf(from: Placed, to: Placed): Promise<[string, string]> {
    const [first, second] = [from, to].sort(
      (one, other) => this.#routers.indexOf(one) - this.#routers.indexOf(other),
    ) as [Placed, Placed];
    const key = `${first.id} ${second.id}`;
    const link = this.#links.get(key) ?? this.#openLink(first, second);
    this.#links.set(key, link);
    const [one, other] = await link;
    return first === from ? [one, other] : [other, one];
  }

  async #openLink(first: Placed, second: Placed): Promise<[string, string]> {
    type End = { id: string; ip: string; port: number; srtpParameters: object };
    const ends = await Promise.all(
      [first, second].map(({ socket, id }) => ask<End>(socket, 'openLink', { router: id })),
    );
    const [one, other] = ends as [End, End];
    await Promise.all([
      ask(first.socket, 'connectLink', { ...other, link: one.id }),
      ask(second.socket, 'connectLink', { ...one, link: other.id }),
    ]);
    return [one.id, other.id];
  }
}

function ask<T>(socket: Socket, name: string, request: object): Promise<T> {
  return socket.emitWithAck(name, request) as Promise<T>;
}
