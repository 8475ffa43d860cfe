/**
 * A server among clients that send anything but what they should, and one that behaves and must not notice. The server is a
 * process of its own: whatever is thrown in it ends it.
 */
import { io, type Socket } from 'socket.io-client';
import { RemoteMafaldaClient } from '../../../src/index.ts';
import type { ServerMessage } from '../../../src/remote/protocol/messages.ts';
import { seededRandom } from '../random.ts';
import { RawWebSocket } from '../rawWebSocket.ts';
import { mediaCodecs } from '../rtp.ts';
import { untilConnected } from '../serve.ts';
import { ServerProcess } from '../serverProcess.ts';
import { until } from '../until.ts';
import { Diary } from './diary.ts';
import { hostileCredentials, hostileFlood, hostileFrame, hostileMessage, type Known } from './hostileClient.ts';
import { assertResponsive, isStarved, patiently, watchTurns } from './starvation.ts';

const token = 'secret';
/** Long enough for who behaves to come back; those that do not are waited for at the end. */
const SESSION_TIMEOUT_MS = 2000;
/** At the same time. */
const CLIENTS = 8;
/** By one client, until it goes. */
const MESSAGES = 100;
/** Of one kind, at once. */
const FLOOD = 50;
/** Of one that keeps to nothing, and which is mostly cut off soon. */
const FRAMES = 25;

export interface FuzzProgress {
  messages: number;
  /** Of the process that is attacked, in bytes. */
  memory: number;
}

/** @throws if the server, or the client that behaves, has noticed anything: the message has the seed */
export async function fuzzServer(
  seed: number,
  messages: number,
  onProgress: (progress: FuzzProgress) => void = () => undefined,
): Promise<void> {
  const random = seededRandom(seed);
  // Without reports of its load nothing is missed: whether the server lives is not the clock's to say here.
  const server = await ServerProcess.create({
    auth: token,
    sessionTimeout: SESSION_TIMEOUT_MS,
    loadInterval: 600_000,
    limits: { messagesPerSecond: 1_000_000 },
  });
  const client = new RemoteMafaldaClient(server.url, { token, callTimeout: 600_000 });
  const problems: string[] = [];
  const disconnections: string[] = [];
  const ownTurns = watchTurns();
  const diary = new Diary(CLIENTS * 25);
  try {
    await untilConnected(client);
    const mafaldaRouter = client.createMafaldaRouter({ id: 'theirs', routerOptions: { mediaCodecs } });
    client.on('disconnected', reason => disconnections.push(`disconnected: ${reason}`));
    mafaldaRouter.on('close', () => problems.push('the session is lost'));
    mafaldaRouter.on('workerdied', (_worker, error) =>
      problems.push(`the Worker of who behaves has died: ${error.message}`),
    );
    const transport = await mafaldaRouter.createDirectTransport();
    const dataProducer = await transport.produceData({ id: 'd' });
    const dataConsumer = await transport.consumeData({ dataProducerId: 'd' });
    let received = 0;
    dataConsumer.on('message', message => {
      if (message.toString() === String(received)) ++received;
      else problems.push(`${message.toString()} came instead of ${received}`);
    });
    const present = async (): Promise<string> =>
      JSON.stringify({ ...(await server.state()), memory: 0, longestTurn: undefined });
    const before = await present();
    let rounds = 0;
    for (; diary.count < messages; ++rounds) {
      // Each has a random of its own: what it does does not depend on when the others do something.
      const randoms = Array.from({ length: CLIENTS }, () => seededRandom(Math.floor(random() * 2 ** 31)));
      await patiently(
        Promise.all(randoms.map(own => sendMessages(server.url, own, diary))),
        'the calls of who does not behave',
      );
      await patiently(sendFrames(server.url, random, diary), 'what is no message');
      await patiently(sendCredentials(server.url, random, diary), 'what are no credentials');
      dataProducer.send(String(rounds));
      const { dataProducerIds } = await patiently(transport.dump(), 'dump() of who behaves');
      if (dataProducerIds.join() !== 'd')
        problems.push(`the DataProducers of who behaves are ${dataProducerIds.join()}`);
      const { polluted, memory, longestTurn } = await patiently(server.state(), 'the state of the server');
      if (polluted) problems.push('prototypes are polluted');
      assertResponsive(longestTurn);
      // The pings of a connection go by the clock: where a process had no turn it breaks, and the session goes on.
      const broken = disconnections.splice(0);
      if (!isStarved(longestTurn, ownTurns())) problems.push(...broken);
      if (problems.length > 0) throw new Error(problems.join('; '));
      onProgress({ messages: diary.count, memory });
    }
    await until('all messages have arrived', () => received === rounds, 60_000);
    // The server keeps clients that did not say goodbye until their time is over.
    await until('nothing is left of the others', async () => (await present()) === before, 60_000).catch(
      async (error: Error) => {
        throw new Error(`${error.message}: ${await present()} instead of ${before}`);
      },
    );
    await mafaldaRouter.createDirectTransport();
  } catch (error) {
    throw new Error(`seed ${seed}: ${String(error)}; ${problems.join('; ')}, after\n${String(diary)}`, {
      cause: error,
    });
  } finally {
    await client.close();
    await server.close();
  }
}

function connect(url: string, auth: Record<string, unknown>): Socket {
  return io(url.replace('ws', 'http'), {
    path: '/mafalda',
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth,
  });
}

/** Resolves when the server has answered, or has closed the connection. */
function settled(socket: Socket): Promise<boolean> {
  return new Promise(resolve => {
    socket.once('welcome', () => resolve(true));
    socket.once('connect_error', () => resolve(false));
    socket.once('disconnect', () => resolve(false));
  });
}

/** A client that is let in, and keeps to socket.io's protocol, but not to ours. */
async function sendMessages(url: string, random: () => number, diary: Diary): Promise<void> {
  const socket = connect(url, { protocol: 1, token, canMove: random() < 0.5, lists: random() < 0.5 });
  await settled(socket);
  const known: Known[] = [];
  const waiting = new Map<number, () => void>();
  socket.on('message', (_number: number, _received: number, ...messages: ServerMessage[]) => {
    for (const message of messages) {
      if (message.type === 'add') known.push(message.addition);
      if (message.type === 'answer' || message.type === 'failure') waiting.get(message.id)?.();
    }
  });
  const gone = new Promise(resolve => socket.once('disconnect', resolve));
  let number = 0;
  const send = (message: unknown): void => void socket.emit('message', ++number, 0, diary.note(message));
  for (let sent = 0; sent < MESSAGES && socket.connected; ++sent) {
    // A number that was there already, and now and then one that is still to come.
    if (random() < 0.05)
      socket.emit('message', Math.floor(random() * (number + 1)), 0, diary.note(hostileMessage(random, number, known)));
    if (random() < 0.01) number += 2;
    if (random() < 0.02) {
      const flood = hostileFlood(random, known);
      for (let repeated = 0; repeated < FLOOD; ++repeated) send(flood(number + 1, repeated));
    }
    send(hostileMessage(random, number + 1, known));
    if (random() < 0.85) continue;
    // Its way leads through the Workers: so the next messages are about what this one has made.
    const id = number + 1000;
    const answered = new Promise<void>(resolve => waiting.set(id, resolve));
    send({ type: 'call', id, target: 0, method: 'getResourceUsages', args: [] });
    await Promise.race([answered, gone]);
  }
  if (random() < 0.7 && socket.connected) {
    // Objects that it says to have moved are not adopted by anyone, and go with the MafaldaRouter.
    const farewell = diary.note(random() < 0.5 ? 'bye' : 'moved');
    socket.emit(farewell, () => socket.disconnect());
    if (random() < 0.5) for (let repeated = 0; repeated < FLOOD; ++repeated) socket.emit(farewell);
    await gone;
  }
  socket.disconnect();
}

/** A client that keeps to nothing. */
async function sendFrames(url: string, random: () => number, diary: Diary): Promise<void> {
  const raw = await RawWebSocket.connect(url);
  if (random() < 0.7) raw.send({ opcode: 1, payload: `40${JSON.stringify({ protocol: 1, token })}` });
  for (let sent = 0; sent < FRAMES && !raw.closed; ++sent) {
    raw.send(diary.note(hostileFrame(random, sent)));
    if (random() < 0.3) await new Promise(setImmediate);
  }
  raw.close();
}

async function sendCredentials(url: string, random: () => number, diary: Diary): Promise<void> {
  const socket = connect(url, diary.note(hostileCredentials(random)));
  await settled(socket);
  socket.disconnect();
}
