/** Lookups over real sockets on one machine: the CPU time of all peers together, and what they send. */
import { randomBytes } from 'node:crypto';
import { Dht } from '../../src/swarm/dht/dht.ts';
import { targetOfRoom } from '../../src/swarm/dht/record.ts';
import { bindUdp, type BindSockets } from '../../src/swarm/dht/sockets.ts';
import { Identity } from '../../src/swarm/identity.ts';

const HOST = '127.0.0.1';
const ROOMS = 50;
const HOLDERS = 2;

export interface LoopbackResult {
  peers: number;
  lookups: number;
  /** Lookups that have not found all holders. */
  incomplete: number;
  /** CPU time of all peers together for a lookup, in ms. */
  cpu: number;
  /** CPU time of the one that is asked and the one that asks together for a request, in ms. */
  cpuOfRequest: number;
  datagrams: number;
  /** Time of a lookup, in ms. */
  took: number;
}

export async function measureLoopback(peers: number, lookups: number): Promise<LoopbackResult> {
  let datagrams = 0;
  const bind: BindSockets = async (...args) => {
    const sockets = await bindUdp(...args);
    return {
      ...sockets,
      createSocket: () => {
        const socket = sockets.createSocket();
        const trySend = socket.trySend.bind(socket);
        return Object.assign(socket, {
          trySend: (...sent: Parameters<typeof trySend>) => (++datagrams, trySend(...sent)),
        });
      },
    };
  };
  const keys = [randomBytes(32)];
  const swarm: Dht[] = [];
  const open = async (): Promise<void> => {
    const bootstrap = swarm[0] ? [`${HOST}:${swarm[0].address.port}`] : [];
    const identity = new Identity();
    const dht = await Dht.open({
      bootstrap,
      keys,
      host: HOST,
      listenHost: HOST,
      port: 0,
      identity,
      status: () => [],
      bind,
    });
    swarm.push(dht);
    await dht.ready();
  };
  for (let count = 0; count < peers; ++count) await open();
  const targets = Array.from({ length: ROOMS }, (_, index) => targetOfRoom(`room-${index}`));
  const at = (index: number): Dht => swarm[index % peers]!;
  for (const [index, target] of targets.entries()) {
    for (let holder = 0; holder < HOLDERS; ++holder)
      at(7 * index + holder).publish(target, `wss://media-${(7 * index + holder) % peers}.example`);
    while ((await countHolders(at(11 * index), target)) < HOLDERS);
  }
  let incomplete = 0;
  datagrams = 0;
  const cpu = process.cpuUsage();
  const begun = performance.now();
  for (let count = 0; count < lookups; ++count) {
    if ((await countHolders(at(11 * count), targets[count % ROOMS]!)) < HOLDERS) ++incomplete;
  }
  const took = (performance.now() - begun) / lookups;
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / 1000;
  const result = {
    peers,
    lookups,
    incomplete,
    cpu: cpuMs / lookups,
    cpuOfRequest: cpuMs / (datagrams / 2),
    datagrams: datagrams / lookups,
    took,
  };
  await Promise.all(swarm.map(dht => dht.close()));
  return result;
}

async function countHolders(dht: Dht, target: Buffer): Promise<number> {
  const found = new Set<string>();
  for await (const { url } of dht.find(target)) found.add(url);
  return found.size;
}
