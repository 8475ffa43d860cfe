/**
 * Streams of a swarm that many want: peers send each other on, so that trees grow, and mend when a peer in the middle
 * dies. Packets are counted.
 */
import { randomBytes } from 'node:crypto';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import type { Consumer, DirectTransport } from 'mediasoup/types';
import { DuplicateIdError } from '../../src/errors.ts';
import {
  Mafalda,
  setLogEventListeners,
  type LogFacts,
  type LostPath,
  type RemoteMafaldaClient,
} from '../../src/index.ts';
import type { TreeNode } from '../../src/core/objectTree.ts';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';
import { linkedRouterId, type PipeOffer, type PipeRedirect } from '../../src/piping/endpoint.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';
import { CutProxy } from '../helpers/cutProxy.ts';
import { DirectSender, KEY_FRAME_EVERY, numberOf } from '../helpers/directRtp.ts';
import type { SwarmPeerCommand, SwarmPeerSetup, SwarmPeerState } from '../helpers/processes/swarmPeer.ts';
import { mediaCodecs } from '../helpers/rtp.ts';
import { SwarmPeer } from '../helpers/swarmPeer.ts';
import { until } from '../helpers/until.ts';

const STREAM = 'camera';

const opened = closingAfterEach();
const options = { id: 'room', routerOptions: { mediaCodecs } };

/** A viewer of a peer's, who consumes the stream again as soon as it is lost. */
class Viewer {
  readonly room: PipeableMafaldaRouter;
  readonly events: string[] = [];
  readonly lost: LostPath[] = [];
  /** Numbers of the packets that the present Consumer has received. */
  numbers: number[] = [];
  consumer: Consumer | undefined;
  /** Settles with the latest attempt to consume. */
  consuming: Promise<void> = Promise.resolve();
  #transport: DirectTransport | undefined;

  constructor(peer: SwarmPeer) {
    this.room = peer.swarm.createMafaldaRouter(options) as PipeableMafaldaRouter;
    this.room.on('pathlost', path => {
      // Another viewer's loss is told here too.
      if (!path.consumers.includes(this.consumer!)) return;
      this.events.push('pathlost');
      this.lost.push(path);
    });
  }

  /** @param node default: the strategy's choice, which is the own machine */
  async begin(node?: string): Promise<void> {
    const placement = node === undefined ? {} : { placement: { node } };
    this.#transport = await this.room.createDirectTransport(placement);
    await this.consume();
  }

  consume(): Promise<void> {
    return (this.consuming = this.#consume());
  }

  async #consume(): Promise<void> {
    const rtpCapabilities = await this.room.getRtpCapabilities();
    const consumer = await this.#transport!.consume({ producerId: STREAM, rtpCapabilities });
    this.consumer = consumer;
    const numbers: number[] = (this.numbers = []);
    consumer.on('rtp', packet => numbers.push(numberOf(packet)));
    consumer.on('producerclose', () => {
      this.events.push('producerclose');
      // The test looks at how this ends.
      this.consume().catch(() => undefined);
    });
  }

  /** Router from which the stream comes to the viewer, and so on up to the origin; empty at the origin. */
  get path(): string[] {
    const path: string[] = [];
    const router = this.#transport && this.room.tree.nodeOf<'transport'>(this.#transport)?.parent?.id;
    for (let at = router && this.room.streams.sourceOf(STREAM, router); at; at = this.room.streams.sourceOf(STREAM, at))
      path.unshift(at);
    return path;
  }

  get flows(): boolean {
    return this.numbers.length > 10;
  }
}

/** Number of pipes of the stream that leave each Router. */
function fanOuts({ room }: Viewer): number[] {
  const counts = new Map<string, number>();
  for (const { from } of room.streams.find(STREAM))
    if (from !== undefined) counts.set(from, (counts.get(from) ?? 0) + 1);
  return [...counts.values()];
}

/** Ends of links on the peer's machine. */
function endsOf({ own }: SwarmPeer): TreeNode<'transport'>[] {
  const { tree } = own.mafaldaRouters.get(options.id) as unknown as PipeableMafaldaRouter;
  return [...tree.nodes()].filter(
    (node): node is TreeNode<'transport'> => node.type === 'transport' && linkedRouterId(node.object) !== undefined,
  );
}

async function joined(count: number, fanOut: number, first: Partial<SwarmPeerSetup> = {}): Promise<SwarmPeer[]> {
  const key = first.key === undefined ? randomBytes(32) : Buffer.from(first.key, 'base64');
  const peers: SwarmPeer[] = [];
  while (peers.length < count) {
    const bootstrap = first.bootstrap ?? (peers[0] ? [await peers[0].swarm.address()] : []);
    peers.push(opened(await SwarmPeer.join({ bootstrap, key, fanOut })));
  }
  return peers;
}

/** A peer in a process of its own. */
class PeerProcess {
  readonly state: SwarmPeerState;
  readonly #child: ReturnType<typeof fork>;

  static async create(setup: SwarmPeerSetup): Promise<PeerProcess> {
    const script = fileURLToPath(new URL('../helpers/processes/swarmPeer.ts', import.meta.url));
    const child = fork(script, [JSON.stringify(setup)], { execArgv: ['--import', 'tsx'] });
    opened({ close: () => child.kill('SIGKILL') });
    const [state] = (await once(child, 'message')) as [SwarmPeerState];
    return new PeerProcess(child, state);
  }

  private constructor(child: ReturnType<typeof fork>, state: SwarmPeerState) {
    this.#child = child;
    this.state = state;
  }

  async perform(what: SwarmPeerCommand['do'], stream = STREAM): Promise<void> {
    this.#child.send({ do: what, room: options.id, stream } satisfies SwarmPeerCommand);
    await once(this.#child, 'message');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

describe('a stream that many want', () => {
  test('reaches all who ask at once, through a tree', async () => {
    const redirects: unknown[] = [];
    const ondebug = (_namespace: string, _line: string, facts?: LogFacts): void => {
      if (facts?.['redirects'] !== undefined) redirects.push(facts['redirects']);
    };
    setLogEventListeners({ ondebug });
    opened({ close: () => setLogEventListeners() });
    const peers = await joined(5, 1);
    const sender = await DirectSender.create(peers[0]!.swarm.createMafaldaRouter(options), 'audio', STREAM);
    sender.start();
    const viewers = peers.slice(1).map(peer => new Viewer(peer));
    await Promise.all(viewers.map(viewer => viewer.begin()));
    await until('media flows everywhere', () => viewers.every(({ flows }) => flows));
    await until('each sees the whole tree', () =>
      viewers.every(({ room }) => room.streams.find(STREAM).length === peers.length),
    );
    for (const viewer of viewers) {
      expect(viewer.path.length).toBeLessThanOrEqual(4);
      expect(Math.max(...fanOuts(viewer))).toBeLessThanOrEqual(4);
    }
    expect(Math.max(...viewers.map(({ path }) => path.length))).toBeGreaterThan(1);
    expect(redirects.length).toBeGreaterThan(0);
    // An asker opens its end while it asks, for nothing if it is sent on.
    await until('no end of a link is left that has no pipe', () =>
      peers.every(peer => endsOf(peer).every(({ children }) => children.size > 0)),
    );
  });

  test('goes on when a peer in the middle dies, and ends with its origin', async () => {
    const key = randomBytes(32);
    const setup = { bootstrap: [] as string[], key: key.toString('base64'), fanOut: 1 };
    const origin = await PeerProcess.create(setup);
    setup.bootstrap.push(origin.state.address);
    const [middle, peers] = await Promise.all([PeerProcess.create(setup), joined(3, 1, setup)]);
    await origin.perform('produce');
    const untouched = new Viewer(peers[0]!);
    await until('the origin is in sight', () =>
      [...peers[0]!.swarm].some(node => (node as RemoteMafaldaClient).url === origin.state.url),
    );
    await untouched.begin(origin.state.url);
    await middle.perform('consume');
    const viewers: Viewer[] = [];
    for (const peer of peers) {
      const viewer = new Viewer(peer);
      await viewer.room.getRtpCapabilities();
      await until('it sees where the stream is', () => viewer.room.streams.find(STREAM).length === viewers.length + 2);
      viewers.push(viewer);
      await viewer.begin();
      await until('each is behind the other', () => viewer.path.length === viewers.length + 1);
    }
    await until('media flows everywhere', () => [untouched, ...viewers].every(({ flows }) => flows));
    // The link between the first of them and the one in the middle is used in both directions.
    const back = await DirectSender.create(viewers[0]!.room, 'audio', 'back');
    back.start();
    await middle.perform('consume', 'back');
    const [, middleRouter] = viewers[0]!.path;
    const endsToMiddle = (): unknown[] =>
      endsOf(peers[0]!).filter(({ object }) => linkedRouterId(object) === middleRouter);
    for (const viewer of viewers) viewer.events.splice(0);
    const [firstSeen, before] = [untouched.numbers[0]!, viewers.map(({ consumer }) => consumer)];

    middle.kill();
    await until('all viewers behind it have lost it', () => before.every(consumer => consumer!.closed));
    await until('media flows again', () =>
      viewers.every(({ consumer, flows }, index) => consumer !== before[index] && flows),
    );
    // Nobody has waited until that link closes, since nothing has come through it for long.
    expect(endsToMiddle()).toHaveLength(1);
    for (const { events, path, room, lost, numbers } of viewers) {
      expect(numbers[0]! % KEY_FRAME_EVERY).toBe(0);
      expect(events.slice(0, 2)).toEqual(['pathlost', 'producerclose']);
      expect(lost[0]!.producerId).toBe(STREAM);
      expect(path.length).toBeLessThanOrEqual(4);
      expect(room.streams.find(STREAM).filter(({ piped }) => !piped)).toHaveLength(1);
    }
    expect(untouched.events).toEqual([]);
    const { numbers } = untouched;
    expect(numbers).toEqual(numbers.map((_, index) => firstSeen + index));

    for (const viewer of [untouched, ...viewers]) viewer.events.splice(0);
    origin.kill();
    await until('the stream has ended everywhere', () =>
      [untouched, ...viewers].every(({ consumer, room }) => consumer!.closed && room.streams.isGone(STREAM)),
    );
    for (const { events, consuming } of viewers) {
      expect(events.filter(event => event === 'producerclose')).toHaveLength(1);
      await expect(consuming).rejects.toThrow('not found');
    }
  });

  test('ends in time with its origin that is killed, also where that was the only other peer', async () => {
    const key = randomBytes(32).toString('base64');
    // A peer of which nothing says that its process has ended is waited for.
    const setup = { bootstrap: [] as string[], key, fanOut: 1, sessionTimeout: 600_000 };
    const origin = await PeerProcess.create(setup);
    setup.bootstrap.push(origin.state.address);
    const [peer] = await joined(1, 1, setup);
    await origin.perform('produce');
    const viewer = new Viewer(peer!);
    await viewer.begin();
    await until('media flows', () => viewer.flows);
    origin.kill();
    await until('it has ended', () => viewer.consumer!.closed && viewer.room.streams.isGone(STREAM));
    expect(viewer.events).toEqual(['producerclose']);
    await expect(viewer.consuming).rejects.toThrow('not found');
  });

  test('is had although a peer lies to those that are sent to it', async () => {
    const key = randomBytes(32);
    const honest = opened(await SwarmPeer.join({ bootstrap: [], key, fanOut: 1 }));
    const bootstrap = [await honest.swarm.address()];
    const liar = opened(await SwarmPeer.join({ bootstrap, key }, undefined, lyingMafalda()));
    const sender = await DirectSender.create(honest.swarm.createMafaldaRouter(options), 'audio', STREAM);
    sender.start();
    await new Viewer(liar).begin();
    const asker = opened(await SwarmPeer.join({ bootstrap, key }));
    const viewer = new Viewer(asker);
    await viewer.begin();
    await until('media flows', () => viewer.flows);
    expect(viewer.path).toHaveLength(1);
    expect(lies).toBeGreaterThan(0);
    expect(lies).toBeLessThanOrEqual(9);
  });
});

let lies = 0;

/** Sends all who ask on: to itself, in circles, to servers that there are not, to more than anyone would read. */
function lyingMafalda(): Mafalda {
  const mafalda = new Mafalda(mediasoup, { workerBudget: false });
  const create = mafalda.createMafaldaRouter.bind(mafalda);
  mafalda.createMafaldaRouter = given => {
    const mafaldaRouter = create(given);
    (mafaldaRouter as unknown as PipeableMafaldaRouter).offerPipe = async ({
      routerId,
    }): Promise<PipeOffer | PipeRedirect> => {
      const candidates = Array.from({ length: 1000 }, (_, index) => ({
        routerId: index === 0 ? routerId : `router ${lies} ${index}`,
        url: `ws://127.0.0.1:${index}/`,
        depth: 0,
        load: 0,
      }));
      return { redirect: { candidates: [...candidates.slice(0, ++lies % 3), ...candidates], share: 0 } };
    };
    return mafaldaRouter;
  };
  return mafalda;
}

test('of two streams with one id, made on two sides of a partition, the older stays', async () => {
  const key = randomBytes(32);
  const proxies: CutProxy[] = [];
  const through = async (url: string): Promise<string> => {
    const proxy = opened(await CutProxy.create(url));
    proxies.push(proxy);
    return proxy.url;
  };
  const first = opened(await SwarmPeer.join({ bootstrap: [], key }, through));
  const bootstrap = [await first.swarm.address()];
  const second = opened(await SwarmPeer.join({ bootstrap, key }, through));
  // Both hear a third one: a peer that hears nobody takes itself for cut off, and waits longer.
  const third = opened(await SwarmPeer.join({ bootstrap, key }));
  const [witness, ...rooms] = [third, first, second].map(
    ({ swarm }) => swarm.createMafaldaRouter(options) as PipeableMafaldaRouter,
  );
  await witness!.createDirectTransport();
  const transports = await Promise.all(rooms.map(room => room.createDirectTransport()));
  await until('both see all', () => rooms.every(({ routers }) => routers.size === 3));

  for (const proxy of proxies) {
    proxy.blocked = true;
    proxy.cut();
  }
  await until('neither sees the other', () => rooms.every(({ routers }) => routers.size === 2));
  const older = await transports[0]!.produceData({ id: STREAM });
  const madeAt = Date.now();
  await until('time has passed', () => Date.now() > madeAt);
  const younger = await transports[1]!.produceData({ id: STREAM });
  const told = once(rooms[1]!, 'error');
  for (const proxy of proxies) proxy.blocked = false;
  const [error] = (await told) as [Error];
  expect(error).toBeInstanceOf(DuplicateIdError);
  expect([older.closed, younger.closed]).toEqual([false, true]);
  await until('both see one', () => rooms.every(({ streams }) => streams.find(STREAM).length === 1));
});
