/**
 * Cost of a room in clusters of 3, 12 and 50 nodes, and of a controller at rest. `npm run bench:cluster`
 *
 * A room is created, its RTP capabilities are asked for, two transports are created on a node, a stream goes from the one to the other, and it is closed.
 * The clusters take turns in one run, so that what else the machine does meets all of them. Nodes have a Worker each; up to 12 of them are processes of
 * their own, more of them share 10 processes. CPU is that of the Node.js processes: Workers do the same in each cluster. Nothing fails: figures are this machine's.
 * It writes its table and drawing into docs/reference/performance.md and docs/images.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RouterRtpCodecCapability } from 'mediasoup/types';
import { MafaldaHorizontal, type MafaldaRouter } from 'mafalda-horizontal';
import { draw } from '../draw.ts';
import type { BystanderState } from './bystander.ts';
import type { NodesState } from './nodes.ts';

const SIZES = [3, 12, 50];
const MOST_PROCESSES = 12;
const SHARED_PROCESSES = 10;
const ROUNDS = Number(process.argv[2] ?? 3);
/** Rooms in a round: as many for each node in each cluster, so that its code is compiled as far. */
const ROOMS_PER_NODE = 40;
/** Rooms that are open at once. */
const ROOMS_AT_ONCE = 60;
/** Time in which what is closed is told and closed everywhere. */
const SETTLE_MS = 3000;
const mediaCodecs: RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 },
];
const rtpParameters = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 }],
  encodings: [{ ssrc: 1111 }],
};

/** Heap of this process after a garbage collection, in KiB. */
function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1024;
}

async function start(file: string, args: string[]): Promise<{ child: ChildProcess; told: unknown }> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args);
  const [told] = (await once(child, 'message')) as [unknown];
  return { child, told };
}

async function ask<T>(child: ChildProcess): Promise<T> {
  child.send('state');
  const [state] = (await once(child, 'message')) as [T];
  return state;
}

/** Figures of one round: CPU in ms. */
interface Figures {
  /** Of all nodes together, for a room. */
  nodeCpu: number;
  /** Of the controller, for a room. */
  controllerCpu: number;
  /** Of another controller, which does not use the room. */
  bystanderCpu: number;
  /** Nodes that a room is open on. */
  parts: number;
  /** Of the controller, for each node and second in which nothing happens. */
  restCpu: number;
  /** Heap of the controller for each node, in KiB. */
  restHeap: number;
}

class Cluster {
  readonly #size: number;
  readonly #processes: ChildProcess[] = [];
  readonly #urls: string[] = [];
  #bystander!: ChildProcess;
  #controller!: MafaldaHorizontal;

  constructor(size: number) {
    this.#size = size;
  }

  async measure(): Promise<Figures> {
    await this.#startNodes();
    const before = heap();
    this.#controller = new MafaldaHorizontal(this.#urls);
    await once(this.#controller, 'connected');
    await wait(SETTLE_MS);
    const restHeap = (heap() - before) / this.#size;
    // The first rooms are compiled code for the others.
    await this.#useRooms();
    await wait(SETTLE_MS);

    const started = performance.now();
    const cpu = await this.#cpu();
    const parts = await this.#useRooms();
    await wait(SETTLE_MS);
    const used = minus(await this.#cpu(), cpu);
    // The cost of the same time without any room does not count.
    const elapsed = performance.now() - started;
    const idle = await this.#cpu();
    await wait(elapsed);
    const unused = minus(await this.#cpu(), idle);
    await this.#end();
    const rooms = this.#size * ROOMS_PER_NODE;
    const [nodeCpu, controllerCpu, bystanderCpu] = minus(used, unused).map(ms => ms / rooms);
    return {
      nodeCpu: nodeCpu!,
      controllerCpu: controllerCpu!,
      bystanderCpu: bystanderCpu!,
      parts,
      restCpu: unused[1]! / this.#size / (elapsed / 1000),
      restHeap,
    };
  }

  async #startNodes(): Promise<void> {
    const processes = this.#size > MOST_PROCESSES ? SHARED_PROCESSES : this.#size;
    for (let index = 0; index < processes; ++index) {
      const { child, told } = await start('nodes.ts', [String(this.#size / processes)]);
      this.#processes.push(child);
      this.#urls.push(...(told as string[]));
    }
    this.#bystander = (await start('bystander.ts', this.#urls)).child;
  }

  async #end(): Promise<void> {
    await this.#controller.close();
    const children = [this.#bystander, ...this.#processes];
    const exits = children.map(child => once(child, 'exit'));
    for (const child of children) child.disconnect();
    await Promise.all(exits);
  }

  /** @returns the CPU time of all nodes, of the controller and of the bystander since their starts, in ms */
  async #cpu(): Promise<number[]> {
    const nodes = await Promise.all(this.#processes.map(child => ask<NodesState>(child)));
    const { cpu } = await ask<BystanderState>(this.#bystander);
    const { user, system } = process.cpuUsage();
    return [nodes.reduce((sum, node) => sum + node.cpu, 0), (user + system) / 1000, cpu];
  }

  /** @returns how many nodes a room is open on */
  async #useRooms(): Promise<number> {
    const all = this.#size * ROOMS_PER_NODE;
    let parts = 0;
    for (let used = 0; used < all; used += ROOMS_AT_ONCE) {
      const count = Math.min(ROOMS_AT_ONCE, all - used);
      const rooms = await Promise.all(Array.from({ length: count }, (_, index) => this.#useRoom(used + index)));
      for (const state of await Promise.all(this.#processes.map(child => ask<NodesState>(child)))) parts += state.parts;
      await Promise.all(rooms.map(room => room.close()));
    }
    return parts / all;
  }

  async #useRoom(index: number): Promise<MafaldaRouter> {
    const room = this.#controller.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    const rtpCapabilities = await room.getRtpCapabilities();
    const placement = { node: this.#urls[index % this.#size]! };
    const [source, sink] = [
      await room.createDirectTransport({ placement }),
      await room.createDirectTransport({ placement }),
    ];
    const { id: producerId } = await source.produce({ kind: 'audio', rtpParameters });
    await sink.consume({ producerId, rtpCapabilities });
    return room;
  }
}

function minus(one: readonly number[], other: readonly number[]): number[] {
  return one.map((value, index) => value - other[index]!);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const loadBefore = loadavg()[0]!;
const rounds = new Map<number, Figures[]>(SIZES.map(size => [size, []]));
// The first round compiles the controller's code for the others, and does not count.
for (let round = 0; round <= ROUNDS; ++round) {
  for (const size of SIZES) {
    console.log(`${round === 0 ? 'warming up' : `round ${round} of ${ROUNDS}`}: ${size} nodes …`);
    const figures = await new Cluster(size).measure();
    if (round > 0) rounds.get(size)!.push(figures);
  }
}

const [smallest] = SIZES;
const figure = (size: number, name: keyof Figures): number => median(rounds.get(size)!.map(figures => figures[name]));
const ratio = (size: number, name: keyof Figures): number => figure(size, name) / figure(smallest!, name);
const lines: [what: string, name: keyof Figures, digits: number, hasRatio: boolean][] = [
  ['nodes that a room is open on', 'parts', 2, false],
  ['CPU of all nodes for a room, ms', 'nodeCpu', 2, true],
  ['CPU of the controller for a room, ms', 'controllerCpu', 2, true],
  ['CPU of another controller for a room, ms', 'bystanderCpu', 3, false],
  ['CPU of a controller at rest for each node, ms per second', 'restCpu', 3, false],
  ['heap of a controller for each node, KiB', 'restHeap', 0, false],
];
const shown = lines.map(([what, name, digits, hasRatio]) => {
  const cells = SIZES.map(size => {
    const value = figure(size, name).toFixed(digits);
    return hasRatio && size !== smallest ? `${value} (× ${ratio(size, name).toFixed(2)})` : value;
  });
  return `| ${[what, ...cells].join(' | ')} |`;
});
const atThousand = {
  cpu: figure(SIZES.at(-1)!, 'restCpu') * 100,
  heap: (figure(SIZES.at(-1)!, 'restHeap') * 1000) / 1024,
};
const table = [
  `| median of ${ROUNDS} rounds, ${ROOMS_PER_NODE} rooms for each node | ${SIZES.map(size => `${size} nodes`).join(' | ')} |`,
  `|---|${SIZES.map(() => '---').join('|')}|`,
  ...shown,
  '',
  '![CPU for a room in clusters of 3, 12 and 50 nodes](../images/cluster.svg)',
  '',
  `By that a controller of 1,000 nodes takes ${atThousand.cpu.toFixed(0)} % of a core at rest for their load reports, and ${atThousand.heap.toFixed(0)} MB of heap. Load of the machine when the run began: ${loadBefore.toFixed(1)}.`,
].join('\n');
console.log(`\n${table}`);

const ways = SIZES.map(size => `${size} nodes`);
const drawing = draw(
  (['nodeCpu', 'controllerCpu'] as const).map(name => ({
    what: name === 'nodeCpu' ? 'CPU of all nodes' : 'CPU of the controller',
    bars: SIZES.map(size => ({ way: `${size} nodes`, value: ratio(size, name), label: ratio(size, name).toFixed(2) })),
  })),
  { title: 'CPU for a room, as a multiple of that in a cluster of 3 nodes', max: 2, left: 160, ways },
);
const page = new URL('../../docs/reference/performance.md', import.meta.url);
const text = await readFile(page, 'utf8');
const [begin, end] = ['<!-- measured: npm run bench:cluster -->', '<!-- end of bench:cluster -->'];
if (!text.includes(begin) || !text.includes(end)) throw new Error(`${page.pathname} has no place for the table`);
await writeFile(page, `${text.slice(0, text.indexOf(begin))}${begin}\n\n${table}\n\n${text.slice(text.indexOf(end))}`);
await writeFile(new URL('../../docs/images/cluster.svg', import.meta.url), drawing);
process.exit();
