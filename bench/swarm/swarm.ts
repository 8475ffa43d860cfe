/**
 * A swarm of 100, 1,000 and 10,000 peers, simulated: DHT, records, directory and delegation are the real code, on a network that exists
 * only here, in a time that passes as fast as the CPU allows.
 *
 *     npm run bench:swarm                   all parts: more than an hour, most of it for the 10,000 peers
 *     npm run bench:swarm -- finding        one part
 *     npm run bench:swarm -- finding 1000   one part, with so many peers: table and picture have the last run of each size
 *
 * *finding*: ten producers for each peer, in rooms on some peers each, while 10 % of the peers go in an hour, and as many come. What a
 * lookup costs, how often it fails, when a peer that joins finds a room, and what a peer sends at rest. By SIGUSR2 it ends the
 * coming and going before its time, and goes on.
 *
 * *rush*: 200 peers ask for one stream at the same moment. What each of them serves, and how often an asker is sent on.
 *
 * *loopback*: lookups over real sockets, for the CPU time that they take.
 *
 * *small*: finding and rush with a few peers, for a test, which reads the results.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { simulateFinding, type FindingResult, type FindingSetup } from './finding.ts';
import { measureLoopback } from './loopback.ts';
import { drawGrowth, printFinding, printRushes } from './report.ts';
import { simulateRush, type RushResult, type RushSetup } from './rush.ts';

const PICTURE = new URL('../../docs/images/swarm.svg', import.meta.url);
/** Folder of the results of the last run of each size. */
const RESULTS = new URL('../../node_modules/.cache/bench-swarm/', import.meta.url);
const MINUTE_MS = 60_000;
const PRODUCERS_OF_PEER = 10;
/** Pipes of a stream that a peer makes by default before it sends askers on. */
const FAN_OUT = 8;
/** Effects of a part of the internet on datagrams. */
const network = { latency: { min: 10, max: 100 }, loss: 0.01 };

/** Larger swarms are simulated for a shorter time, so that this ends. */
const durations: Record<number, number> = {
  100: 30 * MINUTE_MS,
  1000: 10 * MINUTE_MS,
  3000: 2 * MINUTE_MS,
  10_000: MINUTE_MS,
};
/** Peers from which on not all of them do all: see {@link FindingSetup}. */
const LARGE = 2000;
let isEnough = false;
const sizes: FindingSetup[] = Object.entries(durations).map(([peers, duration]) => ({
  ...network,
  peers: Number(peers),
  producers: PRODUCERS_OF_PEER * Number(peers),
  duration,
  churn: 0.1,
  lookups: 3000,
  newcomers: 100,
  following: Number(peers) > LARGE ? 0.1 : 1,
  published: Number(peers) > LARGE ? 0.1 : 1,
  isEnough: () => isEnough,
  // Encryption and signatures would be most of the time, and change nothing but the length of the datagrams.
  sealed: false,
}));

const rushes: Record<string, RushSetup> = {
  'all have room': { peers: 200, fanOut: FAN_OUT, busy: 0, latency: network.latency },
  '20 % are full': { peers: 200, fanOut: FAN_OUT, busy: 0.2, latency: network.latency },
  'half the share': { peers: 200, fanOut: FAN_OUT / 2, busy: 0, latency: network.latency },
};

const parts: Record<string, () => Promise<void>> = { finding, rush, loopback };
const [part, size] = process.argv.slice(2);
if (part === 'small') await small();
else for (const [name, run] of Object.entries(parts)) if (part === undefined || part === name) await run();

async function finding(): Promise<void> {
  process.on('SIGUSR2', () => (isEnough = true));
  for (const setup of sizes.filter(({ peers }) => size === undefined || peers === Number(size))) {
    const begun = performance.now();
    const tell = (what: string): void =>
      console.error(`${setup.peers} peers, ${((performance.now() - begun) / 1000).toFixed(0)} s: ${what}`);
    const result = await simulateFinding(setup, tell);
    await mkdir(RESULTS, { recursive: true });
    await writeFile(resultOf(setup), JSON.stringify(result));
  }
  const results: FindingResult[] = [];
  for (const setup of sizes) {
    const text = await readFile(resultOf(setup), 'utf8').catch(() => undefined);
    if (text !== undefined) results.push(JSON.parse(text) as FindingResult);
  }
  printFinding(results);
  await writeFile(PICTURE, drawGrowth(results));
}

function resultOf({ peers }: FindingSetup): URL {
  return new URL(`${peers}.json`, RESULTS);
}

async function rush(): Promise<void> {
  const results: Record<string, RushResult> = {};
  for (const [name, setup] of Object.entries(rushes)) results[name] = await simulateRush(setup);
  printRushes(results);
}

async function loopback(): Promise<void> {
  const { peers, lookups, incomplete, cpu, cpuOfRequest, datagrams, took } = await measureLoopback(32, 1000);
  console.log(
    `\n${lookups} lookups over real sockets, ${peers} peers in one process: ${incomplete} incomplete; each ${datagrams.toFixed(0)} datagrams, ` +
      `${cpu.toFixed(2)} ms of CPU of all peers together, ${cpuOfRequest.toFixed(3)} ms for a request and its answer, ${took.toFixed(1)} ms in all`,
  );
}

/** Has all that the large ones have: encryption, and peers that come and go. */
async function small(): Promise<void> {
  const setup: FindingSetup = {
    ...network,
    peers: 30,
    producers: 160,
    duration: MINUTE_MS / 2,
    churn: 24,
    lookups: 40,
    newcomers: 10,
    following: 0.5,
    published: 0.5,
    isEnough: () => false,
    sealed: true,
  };
  const results = {
    finding: await simulateFinding(setup, () => undefined),
    rush: await simulateRush(rushes['all have room']!),
  };
  console.log(JSON.stringify(results));
}
