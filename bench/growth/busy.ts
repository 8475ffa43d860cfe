/**
 * The cost of other work on the machine. `npm run bench:busy`
 *
 * Calls, and the time in which a node that is killed is noticed, in turns on a quiet machine and on one whose cores are all kept busy by other processes.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MafaldaHorizontal } from 'mafalda-horizontal';

const TURNS = 3;
const CALLS = 1000;

function start(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)));
}

async function startNode(): Promise<{ process: ChildProcess; url: string }> {
  const process = start('node.ts');
  const [url] = (await once(process, 'message')) as [string];
  return { process, url };
}

function percentile(times: number[], share: number): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length * share)]!;
}

async function round(calls: number[], deaths: number[], frozen: number[]): Promise<void> {
  const nodes = await Promise.all([startNode(), startNode(), startNode()]);
  const mafalda = new MafaldaHorizontal(nodes.map(({ url }) => url));
  await once(mafalda, 'connected');
  const room = mafalda.createMafaldaRouter();
  const places = await Promise.all(nodes.map(({ url }) => room.createDirectTransport({ placement: { node: url } })));
  for (let call = 0; call < CALLS; ++call) {
    const started = performance.now();
    const producer = await places[0]!.produceData();
    calls.push(performance.now() - started);
    producer.close();
  }
  // A process that is gone is told of by its machine; one that is frozen is only silent.
  for (const [index, signal, times] of [
    [1, 'SIGKILL', deaths],
    [2, 'SIGSTOP', frozen],
  ] as const) {
    const closed = new Promise<void>(resolve => places[index]!.observer.once('close', resolve));
    const started = performance.now();
    nodes[index].process.kill(signal);
    await closed;
    times.push(performance.now() - started);
  }
  await mafalda.close();
  for (const { process } of nodes) process.kill('SIGKILL');
}

const figures: Record<'quiet' | 'busy', { calls: number[]; deaths: number[]; frozen: number[] }> = {
  quiet: { calls: [], deaths: [], frozen: [] },
  busy: { calls: [], deaths: [], frozen: [] },
};
for (let turn = 0; turn < TURNS; ++turn) {
  for (const state of ['quiet', 'busy'] as const) {
    const burners = state === 'busy' ? Array.from({ length: availableParallelism() }, () => start('burner.ts')) : [];
    const { calls, deaths, frozen } = figures[state];
    await round(calls, deaths, frozen);
    for (const burner of burners) burner.kill('SIGKILL');
  }
}

const measures: [string, (of: typeof figures.quiet) => number][] = [
  ['produceData(), p50', ({ calls }) => percentile(calls, 0.5)],
  ['produceData(), p99', ({ calls }) => percentile(calls, 0.99)],
  ['a killed node is noticed, median', ({ deaths }) => percentile(deaths, 0.5)],
  ['a frozen node is noticed, median', ({ frozen }) => percentile(frozen, 0.5)],
];
console.log('ms'.padEnd(40) + ['quiet', 'busy', 'busy to quiet'].map(name => name.padStart(15)).join(''));
for (const [what, of] of measures) {
  const [quiet, busy] = [of(figures.quiet), of(figures.busy)];
  console.log(what.padEnd(40) + [quiet, busy, busy / quiet].map(value => value.toFixed(2).padStart(15)).join(''));
}
process.exit();
