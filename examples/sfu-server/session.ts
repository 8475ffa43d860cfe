/** One page at the other end of a socket: answers its requests, and tells the others in the room. */
import type { Server, Socket } from 'socket.io';
import type { Peer, PeerListener } from './peer.ts';
import type { Rooms } from './room.ts';
import type { Answer, PageRequests, ServerEvents } from './signalling.ts';
import { flag, forMediasoup, isObject, oneOf, text, type Untrusted } from './validate.ts';

export type SocketServer = Server<PageRequests, ServerEvents>;
type PageSocket = Socket<PageRequests, ServerEvents>;

const MAX_NAME_LENGTH = 40;

export function serveSession(socket: PageSocket, rooms: Rooms): void {
  let peer: Peer | undefined;

  function joined(): Peer {
    if (!peer) throw new Error('join a room first');
    return peer;
  }

  function leave(): void {
    if (!peer) return;
    const { id, room } = peer;
    rooms.leave(peer);
    peer = undefined;
    socket.to(room.id).emit('peerLeft', id);
    void socket.leave(room.id);
  }

  const listener: PeerListener = {
    onTransportLost: () => {
      leave();
      socket.emit('rejoin');
    },
    onConsumerLost: (owner, producerId) => socket.emit('consumerClosed', owner.id, producerId),
  };

  socket.on(
    'join',
    answering(async data => {
      if (peer) throw new Error(`you are in the room "${peer.room.name}" already`);
      const roomName = text(data.room, 'name of the room', MAX_NAME_LENGTH);
      const name = text(data.name, 'name', MAX_NAME_LENGTH);
      const joining = rooms.join(roomName, { id: socket.id, name, listener });
      peer = joining;
      const { id: roomId, peers } = joining.room;
      void socket.join(roomId);
      socket.to(roomId).emit('peerJoined', joining.info);
      // Nothing is awaited here: what happens in the room from now on is told after this answer.
      return [...peers.values()].filter(other => other !== joining).map(({ info }) => info);
    }),
  );

  socket.on(
    'getRtpCapabilities',
    answering(async () => joined().room.mafaldaRouter.getRtpCapabilities()),
  );

  socket.on(
    'createTransport',
    answering(async data => joined().createTransport(oneOf(data.direction, 'direction', ['send', 'recv']))),
  );

  socket.on(
    'connectTransport',
    answering(async data => {
      const direction = oneOf(data.direction, 'direction', ['send', 'recv']);
      await joined().connectTransport(direction, forMediasoup(data.dtlsParameters, 'DTLS parameters'));
      return null;
    }),
  );

  socket.on(
    'produce',
    answering(async data => {
      const producing = joined();
      const kind = oneOf(data.kind, 'kind', ['audio', 'video']);
      const producer = await producing.produce(kind, forMediasoup(data.rtpParameters, 'RTP parameters'));
      socket.to(producing.room.id).emit('producerAdded', producing.id, producer);
      return producer;
    }),
  );

  socket.on(
    'setPaused',
    answering(async data => {
      const pausing = joined();
      const producerId = text(data.producerId, 'id of the producer');
      const paused = flag(data.paused, 'paused');
      await pausing.setPaused(producerId, paused);
      socket.to(pausing.room.id).emit('producerPaused', pausing.id, producerId, paused);
      return null;
    }),
  );

  socket.on(
    'consume',
    answering(async data => {
      const producerId = text(data.producerId, 'id of the producer');
      return joined().consume(producerId, forMediasoup(data.rtpCapabilities, 'RTP capabilities'));
    }),
  );

  socket.on(
    'resumeConsumer',
    answering(async data => {
      await joined().resumeConsumer(text(data.producerId, 'id of the producer'));
      return null;
    }),
  );

  socket.on('disconnect', leave);
}

/** Whatever a page sends, it gets an answer, and the server goes on. */
function answering<Data, Result>(handle: (data: Untrusted<Data>) => Promise<Result>) {
  return (data: Data, answer: (answer: Answer<Result>) => void): void => {
    if (typeof answer !== 'function') return;
    handle(isObject(data) ? data : {}).then(
      result => answer({ result }),
      (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
    );
  };
}
