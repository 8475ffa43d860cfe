/**
 * The same work by this library and by others: `npm run bench:peers`
 *
 * All of them are started once, with two media servers of one Worker each, and take turns within one run, so that the ratios don't depend on what else the machine does.
 * All have the same mediasoup. What can't be measured here is left out, with the reason. Writes the table and the drawing of `docs/reference/side-by-side.md`.
 *
 * `MAFALDA_BENCH_EDUMEET` names a checkout of edumeet-media-node that was built.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { measureJoins, measurePipes, Times } from '../remote/measures.ts';
import { rtpParametersOf } from '../remote/subject.ts';
import { inTurns, repeat } from '../remote/turns.ts';
import { cpuOf } from './cpu.ts';
import { openEdumeet } from './edumeet.ts';
import { openMediakitchen } from './mediakitchen.ts';
import { openHandWritten, openOurs } from './ours.ts';
import type { Peer } from './peer.ts';
import { drawReport, reportOf } from './report.ts';

const ROUNDS = Number(process.argv[2] ?? 300);
const PIPE_ROUNDS = Math.ceil(ROUNDS / 2);
const JOIN_ROUNDS = Math.ceil(ROUNDS / 10);
const PEOPLE = 10;

/** A room on one server, with what a person does there. */
async function measureRoom(times: Times, peer: Peer, index: number): Promise<void> {
  const { name, loadReport } = peer;
  const [room, sender] = await times.time('room, with its first transport', name, async () => {
    const newRoom = await peer.openRoom(1);
    return [newRoom, await newRoom.createTransport(0)] as const;
  });
  const receiver = await times.time('transport', name, () => room.createTransport(0));
  const id = await times.time('produce', name, () => sender.produce('audio', rtpParametersOf('audio', index + 1)));
  await times.time('consume', name, () => receiver.consume(id));
  if (loadReport) await times.time('load report', name, loadReport);
  await room.close();
}

async function cpuWithThis({ pids }: Peer): Promise<number> {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + cpuOf(pids);
}

const loadBefore = loadavg()[0]!;
console.log('starting the media servers …');
const peers = [await openOurs(), await openHandWritten()];
const missing: { name: string; reason: string }[] = [];
for (const [name, open] of [
  ['mediakitchen', openMediakitchen],
  ['edumeet-media-node', () => openEdumeet(process.env['MAFALDA_BENCH_EDUMEET'] || undefined)],
] as const) {
  try {
    peers.push(await open());
  } catch (error) {
    const reason = (error as Error).message;
    missing.push({ name, reason });
    console.log(`left out: ${name}: ${reason}`);
  }
}

// A room with a transport on each server keeps its Worker, which none of them starts within the measurement then.
const keepers = await Promise.all(
  peers.map(async peer => {
    const room = await peer.openRoom(2);
    await Promise.all([room.createTransport(0), room.createTransport(1)]);
    return room;
  }),
);

const times = new Times();
console.log(`${ROUNDS} rooms …`);
await repeat(ROUNDS, times, (into, index) =>
  inTurns(
    index,
    peers.map(peer => () => measureRoom(into, peer, index)),
  ),
);
console.log(`${PIPE_ROUNDS} rooms across two servers …`);
await repeat(PIPE_ROUNDS, times, (into, index) =>
  inTurns(
    index,
    peers.map(peer => () => measurePipes(into, peer)),
  ),
);
for (const nodes of [1, 2]) {
  console.log(`${JOIN_ROUNDS} rooms that ${PEOPLE} people join, on ${nodes} servers …`);
  await repeat(JOIN_ROUNDS, times, (into, index) =>
    inTurns(
      index,
      peers.map(peer => () => measureJoins(into, peer, nodes, PEOPLE, () => cpuWithThis(peer))),
    ),
  );
}

const report = reportOf(times, peers, missing, {
  people: PEOPLE,
  circumstances: `${availableParallelism()} cores, load ${loadBefore.toFixed(1)} when it began and ${loadavg()[0]!.toFixed(1)} at the end; ${ROUNDS} rooms, ${PIPE_ROUNDS} across two servers, ${JOIN_ROUNDS} joined by ${PEOPLE} people.`,
});
console.log(`\n${report}`);
const page = new URL('../../docs/reference/side-by-side.md', import.meta.url);
const [begin, end] = ['<!-- measured: npm run bench:peers -->', '<!-- end of bench:peers -->'];
const text = await readFile(page, 'utf8');
if (!text.includes(begin) || !text.includes(end)) throw new Error(`${page.pathname} has no place for the table`);
await writeFile(page, `${text.slice(0, text.indexOf(begin))}${begin}\n\n${report}\n\n${text.slice(text.indexOf(end))}`);
await writeFile(new URL('../../docs/images/peers.svg', import.meta.url), drawReport(times, peers, PEOPLE));

await Promise.all(keepers.map(room => room.close()));
for (const peer of peers) await peer.close();
process.exit();
