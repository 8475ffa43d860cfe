/**
 * How placement decides, on 1,000 imaginary nodes and for 100,000 rooms in an hour of an imaginary clock: with the pool, the strategies
 * and the accounting that MafaldaHorizontal has, and nothing behind them. `npm run bench:placement`
 *
 * A node takes 8,000 consumers (16 cores with 500 each). Everybody in a room sends two streams and consumes everybody else's. Nodes
 * report once a second what they did a second before. Of each strategy:
 *   - *decisions/s*, *p50*, *p99*: what a decision takes of this machine's CPU, with the snapshot of the nodes that it needs and the garbage
 *     that it leaves, measured for rooms as they are in the end;
 *   - *nodes*: how many are in use when most is going on; *bound*: the fewest that could take what people consume then, up to the watermark,
 *     if rooms were liquid and pipes were free; *ratio* of the two;
 *   - *worst*: the highest load that any node ever had, percent; *over*: how much of the nodes' time was above 100 %, in a million;
 *   - *nodes/room*, *pipes/room*: over how many nodes a room was spread in the end, and how many streams had to be piped for that.
 *
 * Then pipes beside balance: 10 rooms of 6 people on 3 nodes, each with a Transport for each direction, who consume all of each other. *piped* is how
 * many of 100 consumers are fed by a pipe, where the application says whose Transports they are (`placement.near`), and where it doesn't;
 * *max/share* what the fullest node has of the Transports over its fair share. *evenly* looks at nothing but load.
 *
 * Then the burst: 200 joins between two reports, on 10 equal nodes. *max/share* is what the fullest node gets over its fair share.
 */
import type { PoolRequest } from '../src/horizontal/nodeChoice.ts';
import { NodePool } from '../src/horizontal/nodePool.ts';
import type { ClusterNode } from '../src/horizontal/clusterNode.ts';
import { concentrate, leastLoaded, regionFirst, twoChoices, type Strategy } from '../src/placement/strategies.ts';
import { ImaginaryNode } from '../__tests__/helpers/imaginaryNode.ts';
import { seededRandom } from '../__tests__/helpers/random.ts';

const NODES = 1000;
const ROOMS = 100_000;
const ROOMS_BEGIN_WITHIN_S = 3600;
const ROOM_LASTS_S = 900;
/** About: rooms have two people or more, small ones are the most frequent. */
const MEAN_ROOM_SIZE = 4;
const LARGEST_ROOM = 100;
const JOINS_WITHIN_S = 30;
const CONSUMERS_PER_NODE = 8000;
const STREAMS = 2;
const WATERMARK = 66;
const REGIONS = ['eu', 'us', 'as', 'sa'];
/** Of the people in a room, how many are in its region. */
const IN_HOME_REGION = 0.8;

const TIMED_DECISIONS = 20_000;

const CONSUMER_LOAD = 100 / CONSUMERS_PER_NODE;

interface Room {
  readonly id: string;
  readonly region: string;
  /** How many people are on each node, and what the room costs there. */
  readonly people: Map<ClusterNode, number>;
  readonly load: Map<ClusterNode, number>;
  /** Consumers of people. */
  consumers: number;
  /** Consumers of pipes. */
  pipes: number;
}

/** Nodes with their real load, which they report late. */
class Cluster {
  readonly pool: NodePool;
  readonly nodes: ClusterNode[];
  readonly load = new Map<ClusterNode, number>();
  readonly #imaginary: ImaginaryNode[];
  /** As it was when they reported last. */
  #lastLoad: number[];
  now = 0;
  /** Consumers of people, at present. */
  consumers = 0;

  constructor(count: number, strategy: Strategy) {
    this.pool = new NodePool(strategy, WATERMARK, () => this.now);
    this.#imaginary = Array.from({ length: count }, (_, index) =>
      new ImaginaryNode(`wss://node-${index}`).connect(`server ${index}`),
    );
    for (const [index, node] of this.#imaginary.entries()) {
      Object.assign(node, { region: REGIONS[index % REGIONS.length] });
      this.pool.add(node.mafalda, false);
    }
    this.nodes = [...this.pool];
    this.#lastLoad = this.nodes.map(() => 0);
  }

  loadOf(node: ClusterNode): number {
    return this.load.get(node) ?? 0;
  }

  secondPasses(): void {
    this.now += 1000;
    for (const [index, node] of this.#imaginary.entries()) node.report(this.#lastLoad[index]!);
    this.#lastLoad = this.nodes.map(node => this.loadOf(node));
  }

  request(mafaldaRouterId: string, used: ReadonlyMap<ClusterNode, unknown>): PoolRequest {
    return { mafaldaRouterId, isUsed: node => used.has(node), countNear: () => new Map(), assertOpen: () => undefined };
  }

  /** Somebody consumes on a node, or a pipe from there does. */
  add(room: Room, node: ClusterNode, consumers: number): void {
    const load = consumers * CONSUMER_LOAD;
    room.load.set(node, (room.load.get(node) ?? 0) + load);
    this.load.set(node, this.loadOf(node) + load);
  }

  end(room: Room): void {
    this.consumers -= room.consumers;
    for (const [node, load] of room.load) this.load.set(node, Math.max(0, this.loadOf(node) - load));
  }
}

/** Somebody comes to a room, by a new Transport. */
function join(cluster: Cluster, room: Room, region: string | undefined): void {
  const node = cluster.pool.choose(cluster.request(room.id, room.people), { region });
  node.reserve()(true);
  const others = [...room.people.values()].reduce((sum, people) => sum + people, 0);
  const isNew = !room.people.has(node);
  for (const [other, people] of room.people) {
    // What is sent there is piped to where it was not yet, and there is somebody who consumes it.
    if (other !== node) {
      room.pipes += STREAMS;
      cluster.add(room, node, STREAMS);
    }
    if (isNew) {
      room.pipes += people * STREAMS;
      cluster.add(room, other, people * STREAMS);
    }
    cluster.add(room, other, people * STREAMS);
    for (let consumer = 0; consumer < people * STREAMS; ++consumer) other.expectConsumer();
  }
  cluster.add(room, node, others * STREAMS);
  room.consumers += 2 * others * STREAMS;
  cluster.consumers += 2 * others * STREAMS;
  for (let consumer = 0; consumer < others * STREAMS; ++consumer) node.expectConsumer();
  room.people.set(node, (room.people.get(node) ?? 0) + 1);
}

/** What one decision takes of the CPU, all threads of this process together, in µs, the least first. */
function timeDecisions(cluster: Cluster, rooms: Room[], withRegions: boolean): number[] {
  const times: number[] = [];
  for (const { id, people, region } of rooms.slice(-TIMED_DECISIONS)) {
    const before = process.cpuUsage();
    cluster.pool.choose(cluster.request(id, people), withRegions ? { region } : {});
    const { user, system } = process.cpuUsage(before);
    times.push(user + system);
  }
  return times.sort((a, b) => a - b);
}

interface Schedule {
  /** By second: rooms in which somebody joins, and where he is; and rooms that end. */
  joins: [room: number, region: string][][];
  ends: number[][];
  regions: string[];
}

/** The same for all strategies. */
function schedule(): Schedule {
  const random = seededRandom(1);
  const seconds = ROOMS_BEGIN_WITHIN_S + JOINS_WITHIN_S;
  const joins: Schedule['joins'] = Array.from({ length: seconds }, () => []);
  const ends: Schedule['ends'] = Array.from({ length: seconds }, () => []);
  const regions: string[] = [];
  for (let room = 0; room < ROOMS; ++room) {
    const home = REGIONS[Math.floor(random() * REGIONS.length)]!;
    regions.push(home);
    const begin = Math.floor(random() * ROOMS_BEGIN_WITHIN_S);
    const size = Math.min(LARGEST_ROOM, 2 + Math.floor(-Math.log(1 - random()) * (MEAN_ROOM_SIZE - 2)));
    for (let person = 0; person < size; ++person) {
      const region = random() < IN_HOME_REGION ? home : REGIONS[Math.floor(random() * REGIONS.length)]!;
      joins[begin + Math.floor(random() * JOINS_WITHIN_S)]!.push([room, region]);
    }
    ends[begin + JOINS_WITHIN_S + Math.floor(-Math.log(1 - random()) * ROOM_LASTS_S)]?.push(room);
  }
  return { joins, ends, regions };
}

function simulate(strategy: Strategy, { joins, ends, regions }: Schedule, withRegions: boolean): (string | number)[] {
  const cluster = new Cluster(NODES, strategy);
  const rooms = regions.map((region, index): Room => ({
    id: `room ${index}`,
    region,
    people: new Map(),
    load: new Map(),
    consumers: 0,
    pipes: 0,
  }));
  const peak = { consumers: 0, nodes: 0 };
  let [worst, over] = [0, 0];
  for (const [second, joining] of joins.entries()) {
    for (const [room, region] of joining) join(cluster, rooms[room]!, withRegions ? region : undefined);
    for (const room of ends[second]!) cluster.end(rooms[room]!);
    cluster.secondPasses();
    const loads = cluster.nodes.map(node => cluster.loadOf(node));
    worst = Math.max(worst, ...loads);
    over += loads.filter(load => load > 100).length;
    const { consumers } = cluster;
    if (consumers > peak.consumers)
      Object.assign(peak, { consumers, nodes: loads.filter(load => load > CONSUMER_LOAD / 2).length });
  }
  const times = timeDecisions(cluster, rooms, withRegions);
  const microseconds = (share: number): string => `${times[Math.floor(share * times.length)]!} µs`;
  const bound = Math.ceil((peak.consumers * CONSUMER_LOAD) / WATERMARK);
  const perRoom = (count: (room: Room) => number): string =>
    (rooms.reduce((sum, room) => sum + count(room), 0) / ROOMS).toFixed(2);
  return [
    Math.round((1e6 * times.length) / times.reduce((sum, time) => sum + time)),
    microseconds(0.5),
    microseconds(0.99),
    peak.nodes,
    bound,
    (peak.nodes / bound).toFixed(2),
    worst.toFixed(0),
    ((1e6 * over) / (joins.length * NODES)).toFixed(0),
    perRoom(({ people }) => people.size),
    perRoom(({ pipes }) => pipes),
  ];
}

/** 200 joins between two reports. */
function burst(strategy: Strategy): number[] {
  const [nodes, joins] = [10, 200];
  const cluster = new Cluster(nodes, strategy);
  cluster.secondPasses();
  for (let index = 0; index < joins; ++index)
    cluster.pool.choose(cluster.request(`room ${index}`, new Map())).reserve()(true);
  const placed = cluster.nodes.map(node => node.placed).sort((a, b) => b - a);
  return [placed[0]! / (joins / nodes), ...placed];
}

/** Of rooms of six people: how many of 100 consumers are piped, and what the fullest node has over its share of the Transports. */
function pairs(strategy: Strategy, says: boolean): [piped: number, ratio: number] {
  const [nodes, roomCount, people] = [3, 10, 6];
  const cluster = new Cluster(nodes, strategy);
  cluster.secondPasses();
  const placed = Array.from({ length: roomCount }, () => ({
    used: new Map<ClusterNode, true>(),
    people: [] as ClusterNode[][],
  }));
  for (let person = 0; person < people; ++person) {
    for (const [index, room] of placed.entries()) {
      const own: ClusterNode[] = [];
      room.people.push(own);
      for (let direction = 0; direction < 2; ++direction) {
        const request = {
          ...cluster.request(`room ${index}`, room.used),
          countNear: () => new Map(own.map(node => [node, 1])),
        };
        const node = cluster.pool.choose(request, says && own.length > 0 ? { near: ['own'] } : {});
        node.reserve()(true);
        own.push(node);
        room.used.set(node, true);
      }
    }
  }
  let [piped, consumers] = [0, 0];
  for (const room of placed) {
    for (const [sender, [from]] of room.people.entries()) {
      for (const [receiver, [, to]] of room.people.entries()) {
        if (sender === receiver) continue;
        ++consumers;
        if (from !== to) ++piped;
      }
    }
  }
  const counts = cluster.nodes.map(node => node.placed);
  return [(100 * piped) / consumers, Math.max(...counts) / ((2 * roomCount * people) / nodes)];
}

const strategies = { concentrate, leastLoaded, twoChoices, regionFirst };
const columns = [
  '',
  'decisions/s',
  'p50',
  'p99',
  'nodes',
  'bound',
  'ratio',
  'worst',
  'over',
  'nodes/room',
  'pipes/room',
];
print(columns);
const rooms = schedule();
for (const [name, strategy] of Object.entries(strategies))
  print([name, ...simulate(strategy, rooms, strategy === regionFirst)]);

/** What a strategy does that looks at load alone. */
const evenly: Strategy = candidates =>
  [...candidates].sort((a, b) => (b.near ?? 0) - (a.near ?? 0) || a.load - b.load || a.placed - b.placed)[0];
console.log('\n10 rooms of 6 people with two transports each, 3 nodes: of 100 consumers');
print(['', 'piped', 'max/share', 'untold', 'max/share']);
for (const [name, strategy] of Object.entries({ ...strategies, evenly })) {
  const figures = [true, false].flatMap(says =>
    pairs(strategy, says).map((figure, index) => figure.toFixed(index === 0 ? 0 : 2)),
  );
  print([name, ...figures]);
}

console.log('\n200 joins between two reports, 10 equal nodes');
print(['', 'max/share', '  on each node']);
/** What happens to those who go by the reports alone: all nodes have reported the same. */
const byReports: Strategy = candidates => candidates[0];
for (const [name, strategy] of Object.entries({ ...strategies, 'by reports': byReports })) {
  const [ratio, ...placed] = burst(strategy);
  print([name, ratio!.toFixed(2), `  ${placed.join(' ')}`]);
}

function print(row: (string | number)[]): void {
  console.log(
    row.map((value, index) => (index === 0 ? String(value).padEnd(12) : String(value).padStart(12))).join(''),
  );
}
