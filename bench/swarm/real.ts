/**
 * A real swarm: each peer a process with a Worker on a host of its own (network namespaces, so it needs root on Linux), in
 * one room, where all hear all. Counts each packet while the peer through which most streams come is killed, the network
 * is cut in two and heals, first all of it and then for UDP only, and one more peer comes.
 *
 *     npm run bench:swarm-real -- 12         number of peers
 *     CUT_MS=60000 npm run bench:swarm-real  for how long the network is cut; default 10 s
 *     FAN_OUT=2 npm run bench:swarm-real     deeper trees
 *     NODE_TIMEOUT=1000 npm run bench:swarm-real
 */
import { loadavg } from 'node:os';
import { whyNoNamespaces } from '../../__tests__/helpers/netns.ts';
import { PACKETS_PER_SECOND } from '../../__tests__/helpers/countedStream.ts';
import { RealSwarm, type Delivery, type Mending, type RealPeer } from '../../__tests__/helpers/realSwarm.ts';
import { until } from '../../__tests__/helpers/until.ts';

const COUNT = Number(process.argv[2] ?? 12);
const CUT_MS = Number(process.env['CUT_MS'] ?? 10_000);
const FAN_OUT = numberIn('FAN_OUT');
const NODE_TIMEOUT = numberIn('NODE_TIMEOUT');
const WINDOW_MS = 10_000;

const reason = whyNoNamespaces();
if (reason) throw new Error(`this needs network namespaces: ${reason}`);

const names = Array.from({ length: COUNT }, (_, index) => `peer${index}`);
const late = names.pop()!;
const swarm = await RealSwarm.create([...names, late], { fanOut: FAN_OUT, nodeTimeout: NODE_TIMEOUT });
try {
  await measure();
} finally {
  await swarm.close();
}

async function measure(): Promise<void> {
  say(`${COUNT} peers, ${PACKETS_PER_SECOND} packets a second of each stream`);
  let at = Date.now();
  for (const name of names) await swarm.start(name);
  say(`${names.length} peers started one after the other`, at);
  at = Date.now();
  await swarm.talk();
  say(`all ${names.length * (names.length - 1)} streams flow`, at);
  report('at rest', await swarm.during(all(), () => pause(WINDOW_MS)));
  await sayPipes();

  const killed = await swarm.middle();
  const survivors = all().filter(peer => peer !== killed);
  let mending: Mending | undefined;
  const meanwhile = await swarm.during(survivors, async () => {
    mending = await swarm.killAndMend(killed.name);
  });
  const { noticedMs, ways } = mending!;
  say(`${killed.name} is killed: its own stream has ended everywhere after ${seconds(noticedMs)} s`);
  if (ways.length > 0)
    say(
      `${ways.length} streams of others came through it: pathlost after ${range(ways, way => way.lostMs)} s, media again after ${range(ways, way => way.flowsMs)} s`,
    );
  report('the others meanwhile', meanwhile);

  await cutInTwo(`cut in two for ${CUT_MS / 1000} s`, hosts => swarm.network.split(hosts));
  await cutInTwo(`cut in two for ${CUT_MS / 1000} s for UDP only`, hosts => swarm.network.splitUdp(hosts));

  at = Date.now();
  const { url } = await swarm.start(late);
  say('one more peer started, with one address', at);
  at = Date.now();
  await swarm.talk();
  say('all hear it, and it hears all', at);
  await until('something is placed there', async () => (await all()[0]!.call('place')) === url, 60_000);
  say('a full peer has placed something on it', at);
  report('with it', await swarm.during(all(), () => pause(WINDOW_MS)));
}

async function cutInTwo(how: string, cut: (hosts: string[]) => Promise<void>): Promise<void> {
  const halves = [all().filter((_, index) => index % 2 === 0), all().filter((_, index) => index % 2 === 1)] as const;
  await cut(halves[0].map(({ name }) => name));
  const deliveries = await Promise.all(halves.map(half => swarm.during(half, () => pause(CUT_MS))));
  report(`within the halves of a network that is ${how}`, deliveries.flat());
  await swarm.network.heal();
  const at = Date.now();
  await swarm.untilHeard(all(), 60_000);
  say('healed: all hear all', at);
  await until(
    'all know all',
    async () =>
      [...(await swarm.reports()).entries()].every(([peer, { peers }]) =>
        all().every(({ url }) => url === peer.url || peers.includes(url)),
      ),
    60_000,
  );
  say('healed: all know all', at);
  report('after that', await swarm.during(all(), () => pause(WINDOW_MS)));
  const copies = [...(await swarm.reports()).values()].map(report => report.copies);
  console.log(`  most copies of one stream on a machine: ${Math.max(...copies)}`);
}

async function sayPipes(): Promise<void> {
  const out = [...(await swarm.reports()).values()].map(({ pipesOut }) => pipesOut);
  console.log(`  pipes that leave a peer: ${Math.min(...out)} to ${Math.max(...out)}`);
}

function all(): RealPeer[] {
  return [...swarm.peers.values()];
}

function report(when: string, deliveries: readonly Delivery[]): void {
  const sum = (of: (delivery: Delivery) => number): number => deliveries.reduce((total, each) => total + of(each), 0);
  const [sent, received, doubled] = [sum(each => each.sent), sum(each => each.received), sum(each => each.doubled)];
  say(`${when}: ${deliveries.length} streams, ${sent} packets, ${sent - received} lost, ${doubled} doubled`);
  for (const { from, to, sent: count, received: got, hasLostPath } of deliveries.filter(
    each => each.sent !== each.received,
  ))
    console.log(`    ${from} at ${to}: ${count - got} of ${count} lost${hasLostPath ? ', with a path' : ''}`);
}

function say(what: string, since?: number): void {
  const took = since === undefined ? '' : `: ${((Date.now() - since) / 1000).toFixed(1)} s`;
  console.log(`${what}${took} (load ${loadavg()[0]!.toFixed(1)})`);
}

function range<T>(values: readonly T[], of: (value: T) => number): string {
  const times = values.map(of);
  return `${seconds(Math.min(...times))} to ${seconds(Math.max(...times))}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function numberIn(name: string): number | undefined {
  const text = process.env[name];
  return text === undefined ? undefined : Number(text);
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
