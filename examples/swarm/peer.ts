/**
 * A peer, as a process of its own: the application of an organisation, with a Mafalda on its machine. It says something
 * many times a second, and counts what it hears of the others. swarm.ts starts it.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as mediasoup from 'mediasoup';
import { Mafalda } from 'mafalda-horizontal';
import { MafaldaSwarm } from 'mafalda-horizontal/swarm';

export interface PeerSetup {
  name: string;
  /** Stands for the machine that it would run on. */
  address: string;
  bootstrap: string[];
}

/** Messages from a peer to swarm.ts. */
export type FromPeer =
  | { type: 'ready'; bootstrap: string; dataProducerId: string }
  | { type: 'heard'; of: string; messages: number; lost: number }
  | { type: 'detoured'; of: string }
  | { type: 'gone'; of: string; afterMs: number };

/** Messages from swarm.ts to a peer. */
export type ToPeer = { type: 'listen'; to: string; dataProducerId: string } | { type: 'count' };

const INTERVAL_MS = 20;

const { SWARM_KEY } = process.env;
if (!SWARM_KEY) throw new Error('SWARM_KEY is not set: this is started by swarm.ts');
const { name, address, bootstrap } = JSON.parse(process.argv[2]!) as PeerSetup;
const tell = (message: FromPeer): void => void process.send?.(message);

// Peers of the example stand for machines: they don't share the cores of this one.
const own = new Mafalda(mediasoup, { workerBudget: false, listenInfos: [{ protocol: 'udp', ip: address }] });
const server = createServer().listen(0, address);
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const swarm = new MafaldaSwarm(own, {
  bootstrap,
  key: Buffer.from(SWARM_KEY, 'base64'),
  port: 0,
  host: address,
  url: `ws://${address}:${port}`,
  server,
});
swarm.on('error', error => console.error(`${name}:`, error));
await once(swarm, 'connected');

const room = swarm.createMafaldaRouter({ id: 'call', routerOptions: { mediaCodecs: [] } });
const transport = await room.createDirectTransport();
const voice = await transport.produceData({ label: name });
let said = 0;
const speaking = setInterval(() => voice.send(String(++said)), INTERVAL_MS);
const heard = new Map<string, { messages: number; lost: number; last: number; lastAt: number }>();
/** Streams that live, though the peer is gone through which they came here. */
const detoured = new Set<string>();
room.on('pathlost', ({ producerId }) => detoured.add(producerId));

async function listen(to: string, dataProducerId: string): Promise<void> {
  const consumer = await transport.consumeData({ dataProducerId });
  const counts = heard.get(to) ?? { messages: 0, lost: 0, last: 0, lastAt: performance.now() };
  heard.set(to, counts);
  consumer.on('message', message => {
    const number = Number(message.toString());
    if (counts.last > 0) counts.lost += number - counts.last - 1;
    ++counts.messages;
    counts.last = number;
    counts.lastAt = performance.now();
  });
  consumer.on('dataproducerclose', () => {
    const gone = (): void => {
      heard.delete(to);
      tell({ type: 'gone', of: to, afterMs: performance.now() - counts.lastAt });
    };
    if (!detoured.delete(dataProducerId)) return gone();
    // A stream comes through another peer where its origin's machine is busy. It comes another way if it is asked for again.
    counts.last = 0;
    tell({ type: 'detoured', of: to });
    listen(to, dataProducerId).catch(gone);
  });
}

process.on('message', (message: ToPeer) => {
  if (message.type === 'listen')
    listen(message.to, message.dataProducerId).catch((error: unknown) => console.error(`${name}:`, error));
  else for (const [of, { messages, lost }] of heard) tell({ type: 'heard', of, messages, lost });
});
tell({ type: 'ready', bootstrap: await swarm.address(), dataProducerId: voice.id });

let closing = false;
for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) {
  process.on(signal, () => {
    if (closing) return;
    closing = true;
    clearInterval(speaking);
    swarm
      .close()
      .then(() => own.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(`closing ${name}:`, error);
          process.exit(1);
        },
      );
  });
}
