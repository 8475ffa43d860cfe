/** A controller with a good server and one that tells it anything but what it should: the good one is used as if nothing had happened. */
import { version } from 'mediasoup';
import { HostileNode, type HostileConnection } from '../hostileNode.ts';
import { seededRandom } from '../random.ts';
import { RawWebSocketServer } from '../rawWebSocketServer.ts';
import { Served } from '../serve.ts';
import { VictimProcess } from '../victimProcess.ts';
import type { FuzzProgress } from './clientToServer.ts';
import { Diary } from './diary.ts';
import {
  handshake,
  HostileTeller,
  hostileHandshake,
  hostilePacket,
  hostileReport,
  hostileWelcome,
  welcome,
} from './hostileServer.ts';
import { assertResponsive, patiently } from './starvation.ts';

const CLIENTS = 8;
/** On one connection, if it lasts. */
const MESSAGES = 100;
/** Of those that ask a client to leave, at once. */
const GOODBYES = 20;
const ROUND_TIMEOUT_MS = 5000;

/** @throws if the controller has noticed anything that it should not: the message has the seed */
export async function fuzzClient(
  seed: number,
  messages: number,
  onProgress: (progress: FuzzProgress) => void = () => undefined,
): Promise<void> {
  const random = seededRandom(seed);
  const diary = new Diary(CLIENTS * 20);
  // The victim's good session outlives whatever the machine does with our CPU time.
  const good = await Served.create({ sessionTimeout: 600_000 });
  const victim = await VictimProcess.create(good.url);
  try {
    while (diary.count < messages) {
      await (random() < 0.8 ? tellMessages(victim, random, diary) : sendPackets(victim, random, diary));
      const { memory, polluted, warnings, longestTurn } = await patiently(
        victim.state(),
        'the state of the controller',
      );
      if (polluted) throw new Error('prototypes are polluted');
      if (warnings.length > 0) throw new Error(`Node.js warns: ${warnings.join()}`);
      assertResponsive(longestTurn);
      onProgress({ messages: diary.count, memory });
    }
  } catch (error) {
    throw new Error(`seed ${seed}: ${String(error)}, after\n${String(diary)}`, { cause: error });
  } finally {
    await victim.close();
    await good.close();
  }
}

async function tellMessages(victim: VictimProcess, random: () => number, diary: Diary): Promise<void> {
  const telling: Promise<void>[] = [];
  const node = await HostileNode.create({
    welcome: () => (random() < 0.9 ? anySession(random) : diary.note(hostileWelcome(random, version))),
    onConnection: connection => telling.push(tell(connection, random, diary)),
  });
  try {
    await patiently(victim.meet(node.url, CLIENTS), 'a call to the good server');
    await all(telling, CLIENTS);
  } finally {
    await node.close();
  }
}

/** A right welcome. A client that comes for a session, and gets another one, moves there with what it has. */
function anySession(random: () => number): unknown {
  return { ...welcome(version), session: { id: `session ${Math.floor(random() * 3)}`, received: 0 } };
}

/** In packets of some messages, until it has hung up, or had enough. */
async function tell(connection: HostileConnection, random: () => number, diary: Diary): Promise<void> {
  const teller = new HostileTeller(random);
  const { socket, calls } = connection;
  for (let told = 0; told < MESSAGES && socket.connected;) {
    if (random() < 0.1) socket.emit('load', diary.note(hostileReport(random)));
    if (random() < 0.03)
      for (let said = 0; said < GOODBYES; ++said) socket.emit('goodbye', ...(random() < 0.5 ? [] : [said]));
    if (random() < 0.02) {
      const flood = teller.flood();
      told += flood.length;
      for (const message of flood) connection.tell(diary.note(message));
    }
    const packet = Array.from({ length: 1 + Math.floor(random() * 8) }, () => diary.note(teller.message(calls)));
    told += packet.length;
    connection.tell(...packet);
    await new Promise(setImmediate);
  }
}

/** Plays a server that does not even keep to socket.io's protocol. */
async function sendPackets(victim: VictimProcess, random: () => number, diary: Diary): Promise<void> {
  const telling: Promise<void>[] = [];
  const server = await RawWebSocketServer.create((send, socket) => {
    const run = async (): Promise<void> => {
      if (random() < 0.8) send(random() < 0.8 ? `0${JSON.stringify(handshake)}` : diary.note(hostileHandshake(random)));
      await new Promise(setImmediate);
      if (random() < 0.8) send('40{"sid":"y"}');
      if (random() < 0.8) send(`42${JSON.stringify(['welcome', welcome(version)])}`);
      for (let told = 0; told < MESSAGES && !socket.destroyed; ++told) {
        send(diary.note(hostilePacket(random)));
        await new Promise(setImmediate);
      }
      socket.end();
    };
    telling.push(run());
  });
  try {
    await patiently(victim.meet(server.url, CLIENTS), 'a call to the good server');
    await all(telling, CLIENTS);
  } finally {
    await server.close();
  }
}

/** Resolves when so many have come and had their share, or are overdue. */
async function all(telling: Promise<void>[], count: number): Promise<void> {
  const deadline = Date.now() + ROUND_TIMEOUT_MS;
  while (telling.length < count && Date.now() < deadline) await new Promise(resolve => setTimeout(resolve, 5));
  await Promise.all(telling);
}
