/**
 * Many rooms on many servers, by many controllers, while servers come and go. Placement, admission and the directory by which controllers
 * know who holds what are the real code; what goes over the wire is counted.
 */
import { randomUUID } from 'node:crypto';
import { NodeFullError, NodeUnavailableError } from '../../src/api/errors.ts';
import { resolveOptions } from '../../src/api/optionsSchema.ts';
import { Multimap } from '../../src/core/multimap.ts';
import { ToldDirectory } from '../../src/horizontal/directory/toldDirectory.ts';
import type { RoomWatch } from '../../src/horizontal/directory/directory.ts';
import type { ClusterNode } from '../../src/horizontal/clusterNode.ts';
import { NodePool } from '../../src/horizontal/nodePool.ts';
import type { Strategy } from '../../src/placement/strategies.ts';
import { nodeLimits } from '../../src/remote/client/nodeLimits.ts';
import { ToldRooms } from '../../src/remote/client/toldRooms.ts';
import type { ServerMessage } from '../../src/remote/protocol/messages.ts';
import { RoomTeller } from '../../src/remote/server/roomTeller.ts';
import type { SendableTree } from '../../src/remote/server/treeSender.ts';
import { ImaginaryNode } from '../../__tests__/helpers/imaginaryNode.ts';
import { seededRandom } from '../../__tests__/helpers/random.ts';
import { HeldOnServer } from './heldOnServer.ts';
import { CORES, SimulatedServer } from './simulatedServer.ts';
import { oneWay, SimulatedTime } from './simulatedTime.ts';

const WATERMARK = 66;
const MAX_LOAD = 85;
const REPORT_MS = 1000;
/** The network between a controller and a server, one way: each pair has its own. */
const LATENCY_MS = { min: 1, max: 40 };
/** TCP, TLS, and the handshake of the WebSocket. */
const CONNECT_ROUND_TRIPS = 3;
/** Rooms have two people or more, small ones are the most frequent. */
const MEAN_ROOM_SIZE = 4;
const LARGEST_ROOM = 100;
const JOINS_WITHIN_MS = 30_000;
const STREAMS = 2;
/** Of the rooms, how many have people by two controllers. */
const SHARED = 0.5;

export interface RoomsSetup {
  servers: number;
  controllers: number;
  rooms: number;
  /** Time within which all rooms begin, in ms. */
  within: number;
  /** How often a server goes, and another one comes, in ms. */
  churn: number;
  strategy: Strategy;
}

export interface RoomsResult {
  people: number;
  failed: number;
  refused: number;
  serversUsed: number;
  serversPerRoom: number;
  worstLoad: number;
  /** Messages of the directory, and their bytes, from servers to controllers. */
  messagesPerRoom: number;
  bytesPerRoom: number;
  /** kB/s that a controller gets, and a server sends, on average while rooms begin. */
  controllerGets: { directory: number; load: number };
  serverSends: { directory: number; load: number };
  /** Longest time in which of two controllers one knew who holds a room, and the other did not, in ms. */
  disagreement: number;
  /** Longest time from adding a new server until every controller could use it, and knew what it holds, in ms. */
  newServerKnown: number;
  /** Heap of a controller for what it knows, without its connections, in MB: at rest, and with all rooms. */
  heap: { atRest: number; withRooms: number };
}

interface Room {
  readonly id: string;
  readonly controllers: readonly Controller[];
  /** How many people are on each server. */
  readonly people: Map<Server, number>;
}

/** Counts of what goes from servers to controllers. */
const traffic = { messages: 0, directoryBytes: 0, loadBytes: 0 };
const sizes = new WeakMap<ServerMessage, number>();

function sizeOf(message: ServerMessage): number {
  let size = sizes.get(message);
  if (size === undefined) sizes.set(message, (size = Buffer.byteLength(JSON.stringify(message))));
  return size;
}

/** When each of the controllers has heard that a server holds a room. */
class Agreement {
  longest = 0;
  readonly #heard = new Map<string, { first: number; count: number }>();

  hear(key: string, now: number, controllers: number): void {
    const heard = this.#heard.get(key);
    if (!heard) return void this.#heard.set(key, { first: now, count: 1 });
    this.longest = Math.max(this.longest, now - heard.first);
    if (++heard.count === controllers) this.#heard.delete(key);
  }

  forget(key: string): void {
    this.#heard.delete(key);
  }
}

class Server extends SimulatedServer {
  readonly held = new HeldOnServer();
  readonly teller = new RoomTeller(() => this.held);
  closed = false;
}

/** A server's end of the wire to a controller. */
class Wire {
  readonly #deliver: (message: ServerMessage) => void;
  readonly #latency: number;
  readonly connected = true;
  closed = false;

  /** @param deliver is called when a message has arrived */
  constructor(latency: number, deliver: (message: ServerMessage) => void) {
    this.#latency = latency;
    this.#deliver = deliver;
  }

  readonly sender = {
    send: async (tree: SendableTree): Promise<void> => {
      while (tree.sendNext(this));
    },
  };

  send(message: ServerMessage): void {
    ++traffic.messages;
    traffic.directoryBytes += sizeOf(message);
    void oneWay(this.#latency).then(() => this.closed || this.#deliver(message));
  }

  count(): void {
    throw new Error('nothing is shown');
  }
}

interface Connection {
  readonly client: ImaginaryNode;
  readonly told: ToldRooms;
  readonly wire: Wire;
  readonly latency: number;
}

class Controller {
  readonly pool: NodePool;
  readonly directory = new ToldDirectory();
  readonly connections = new Map<Server, Connection>();
  readonly #random: () => number;
  readonly #watches = new Map<string, RoomWatch>();
  /** Servers on which something is being created, by room. */
  readonly #creating = new Multimap<string, string>();
  readonly #onHeard: (key: string) => void;
  readonly #copies: boolean;

  /** @param copies whether texts in messages are its own, as after a real wire, or shared with the other controllers */
  constructor(
    strategy: Strategy,
    time: { now: number },
    random: () => number,
    onHeard: (key: string) => void,
    copies = false,
  ) {
    this.#copies = copies;
    this.pool = new NodePool(strategy, WATERMARK, () => time.now);
    this.#random = random;
    this.#onHeard = onHeard;
  }

  /** Connects to a server, as after `add(url)`. Resolves when it can be used, and is known what it holds. */
  async connect(server: Server): Promise<void> {
    const { url, serverLoad } = server;
    const latency = LATENCY_MS.min + Math.floor(this.#random() * (LATENCY_MS.max - LATENCY_MS.min + 1));
    const { maxLoad } = serverLoad;
    const client = Object.assign(new ImaginaryNode(url), { maxLoad, loadReport: { hosts: [{ cores: CORES }] } });
    const told = new ToldRooms(resolveOptions('limits', nodeLimits, {}));
    const wire = new Wire(latency, message =>
      tell(told, this.#copies ? structuredClone<ServerMessage>(message) : message),
    );
    this.connections.set(server, { client, told, wire, latency });
    told.on('held', id => this.#onHeard(`${url} ${id}`));
    this.pool.add(client.mafalda, false);
    this.directory.follow(url, told);
    for (let trip = 0; trip < 2 * CONNECT_ROUND_TRIPS; ++trip) await oneWay(latency);
    if (server.closed) return;
    client.connect(url);
    client.report(server.load);
    told.begin();
    await oneWay(latency);
    server.teller.add(wire, wire.sender);
    await told.known;
  }

  disconnect(server: Server): void {
    const connection = this.connections.get(server);
    if (!connection) return;
    this.connections.delete(server);
    connection.wire.closed = true;
    server.teller.delete(connection.wire);
    connection.told.end();
    this.directory.unfollow(connection.told);
    const node = this.pool.find(server.url);
    if (node) this.pool.delete(node);
  }

  /** Creates a Transport for a room. @returns the server on which it is */
  async place(
    roomId: string,
    serverOf: (node: ClusterNode) => Server,
    create: (server: Server) => void,
  ): Promise<Server> {
    const watch = this.#watches.get(roomId) ?? this.directory.watch(roomId);
    this.#watches.set(roomId, watch);
    const holders = watch.urls;
    const creating = new Set(this.#creating.get(roomId));
    const request = {
      mafaldaRouterId: roomId,
      isUsed: ({ id }: ClusterNode) => holders.has(id) || creating.has(id),
      countNear: () => new Map<ClusterNode, number>(),
      assertOpen: () => undefined,
    };
    return this.pool.place(request, {}, async node => {
      const server = serverOf(node);
      const { latency } = this.connections.get(server)!;
      this.#creating.add(roomId, server.url);
      await oneWay(latency);
      try {
        if (server.closed) throw new NodeUnavailableError(`${server.url} has gone`);
        server.admit();
        create(server);
        return server;
      } finally {
        await oneWay(latency);
        this.#creating.delete(roomId, server.url);
      }
    });
  }

  /** Counts what a newcomer consumes, and what the others consume of it. */
  expectConsumers(newcomers: Server, people: ReadonlyMap<Server, number>): void {
    let others = -1;
    for (const count of people.values()) others += count;
    this.#expect(newcomers, others);
    for (const [server, count] of people) this.#expect(server, server === newcomers ? count - 1 : count);
  }

  #expect(server: Server, people: number): void {
    const node = this.pool.find(server.url);
    for (let consumer = 0; node && consumer < people * STREAMS; ++consumer) node.expectConsumer();
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
    for (const server of [...this.connections.keys()]) this.disconnect(server);
    this.pool.close();
  }
}

/** People on a server consume, which is never refused. */
function consume(server: Server, consumers: number): void {
  server.viewers += consumers;
  for (let consumer = 0; consumer < consumers; ++consumer) server.serverLoad.admit('consume')(true);
}

function tell(told: ToldRooms, message: ServerMessage): void {
  if (message.type === 'heldRooms') told.list(message.ids, message.isFirst, message.isLast);
  if (message.type === 'held') told.held(message.ids);
  if (message.type === 'released') told.released(message.ids);
}

export async function simulateRooms(setup: RoomsSetup): Promise<RoomsResult> {
  const time = new SimulatedTime();
  const random = seededRandom(2);
  const agreement = new Agreement();
  Object.assign(traffic, { messages: 0, directoryBytes: 0, loadBytes: 0 });
  const servers = new Map<string, Server>();
  const controllers = Array.from(
    { length: setup.controllers },
    () => new Controller(setup.strategy, time, random, key => agreement.hear(key, time.now, setup.controllers)),
  );
  const rooms = new Set<Room>();
  let [failed, people, refused, worstLoad, nextServer] = [0, 0, 0, 0, 1];

  const start = (): Server => {
    const server = new Server(`wss://server-${nextServer++}`, MAX_LOAD, () => time.now);
    servers.set(server.url, server);
    server.serverLoad.report();
    server.serverLoad.watch(REPORT_MS, report => {
      traffic.loadBytes += setup.controllers * Buffer.byteLength(JSON.stringify(report));
      void oneWay(LATENCY_MS.max / 2).then(() => {
        for (const { connections } of controllers) connections.get(server)?.client.report(report.load);
      });
    });
    return server;
  };
  const enter = (room: Room, server: Server): void => {
    const others = [...room.people.values()].reduce((sum, count) => sum + count, 0);
    server.held.hold(room.id);
    consume(server, others * STREAMS);
    for (const [other, count] of room.people) consume(other, count * STREAMS);
    room.people.set(server, (room.people.get(server) ?? 0) + 1);
  };
  const join = async (room: Room): Promise<void> => {
    const controller = room.controllers[Math.floor(random() * room.controllers.length)]!;
    try {
      const server = await controller.place(
        room.id,
        ({ id }) => servers.get(id)!,
        chosen => enter(room, chosen),
      );
      controller.expectConsumers(server, room.people);
      ++people;
    } catch (error) {
      if (!(error instanceof NodeFullError || error instanceof NodeUnavailableError)) throw error;
      ++failed;
    }
  };

  let newServerKnown = 0;
  const underway = new Set<Promise<void>>();
  const begin = (task: Promise<void>): void => {
    underway.add(task);
    void task.finally(() => underway.delete(task));
  };
  /** A server goes, with all that is there, and those people come again; another server comes. */
  const change = (): void => {
    const living = [...servers.values()].filter(({ closed }) => !closed);
    const gone = living[Math.floor(random() * living.length)]!;
    gone.closed = true;
    gone.stop();
    refused += gone.refused;
    for (const controller of controllers) controller.disconnect(gone);
    for (const room of rooms) {
      const count = room.people.get(gone);
      if (count === undefined) continue;
      room.people.delete(gone);
      for (const [other, others] of room.people) other.viewers -= others * count * STREAMS;
      agreement.forget(`${gone.url} ${room.id}`);
      for (let person = 0; person < count; ++person) begin(join(room));
    }
    const server = start();
    const added = time.now;
    begin(
      Promise.all(controllers.map(controller => controller.connect(server))).then(() => {
        newServerKnown = Math.max(newServerKnown, time.now - added);
      }),
    );
  };

  for (let index = 0; index < setup.servers; ++index) start();
  const connected = Promise.all(
    controllers.flatMap(controller => [...servers.values()].map(server => controller.connect(server))),
  );
  await time.pass(1000);
  await connected;
  const atRest = await heapOfController(time, servers, setup.strategy);
  Object.assign(traffic, { messages: 0, directoryBytes: 0, loadBytes: 0 });

  const joins = new Map<number, Room[]>();
  let begun = 0;
  let nextChange = setup.churn;
  for (let ms = 0; ms < setup.within + JOINS_WITHIN_MS; ++ms) {
    const due = Math.min(setup.rooms, Math.floor(((ms + 1) * setup.rooms) / setup.within));
    for (; begun < due; ++begun) {
      const pick = (): Controller => controllers[Math.floor(random() * controllers.length)]!;
      const room: Room = {
        id: randomUUID(),
        controllers: random() < SHARED ? [pick(), pick()] : [pick()],
        people: new Map(),
      };
      rooms.add(room);
      const size = Math.min(LARGEST_ROOM, 2 + Math.floor(-Math.log(1 - random()) * (MEAN_ROOM_SIZE - 2)));
      for (let person = 0; person < size; ++person) addTo(joins, ms + Math.floor(random() * JOINS_WITHIN_MS), room);
    }
    for (const room of joins.get(ms) ?? []) begin(join(room));
    joins.delete(ms);
    if (ms >= nextChange) {
      change();
      nextChange += setup.churn;
    }
    await time.pass(1);
  }
  await time.pass(2000);
  await Promise.all(underway);

  const seconds = (setup.within + JOINS_WITHIN_MS + 2000) / 1000;
  const living = [...servers.values()].filter(({ closed }) => !closed);
  for (const server of servers.values()) worstLoad = Math.max(worstLoad, server.worstLoad);
  for (const server of living) refused += server.refused;
  const perSecond = (bytes: number, among: number): number => bytes / among / seconds / 1000;
  const result: RoomsResult = {
    people,
    failed,
    refused,
    serversUsed: living.filter(({ held }) => held.size > 0).length,
    serversPerRoom: [...rooms].reduce((sum, room) => sum + room.people.size, 0) / rooms.size,
    worstLoad,
    messagesPerRoom: traffic.messages / setup.rooms,
    bytesPerRoom: traffic.directoryBytes / setup.rooms,
    controllerGets: {
      directory: perSecond(traffic.directoryBytes, setup.controllers),
      load: perSecond(traffic.loadBytes, setup.controllers),
    },
    serverSends: {
      directory: perSecond(traffic.directoryBytes, setup.servers),
      load: perSecond(traffic.loadBytes, setup.servers),
    },
    disagreement: agreement.longest,
    newServerKnown,
    heap: { atRest, withRooms: await heapOfController(time, servers, setup.strategy) },
  };
  for (const controller of controllers) controller.close();
  time.close();
  return result;
}

function addTo(joins: Map<number, Room[]>, ms: number, room: Room): void {
  const rooms = joins.get(ms);
  if (rooms) rooms.push(room);
  else joins.set(ms, [room]);
}

/** Heap that one more controller takes for what it knows, in MB. */
async function heapOfController(
  time: SimulatedTime,
  servers: ReadonlyMap<string, Server>,
  strategy: Strategy,
): Promise<number> {
  const before = heap();
  const controller = new Controller(strategy, time, seededRandom(3), () => undefined, true);
  const connected = Promise.all(
    [...servers.values()].filter(({ closed }) => !closed).map(server => controller.connect(server)),
  );
  await time.pass(1000);
  await connected;
  const after = heap();
  controller.close();
  return (after - before) / 1e6;
}

function heap(): number {
  if (!global.gc) throw new Error('node needs --expose-gc');
  global.gc();
  return process.memoryUsage().heapUsed;
}
