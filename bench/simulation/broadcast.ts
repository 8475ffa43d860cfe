/** A broadcast: one stream, and many viewers who come by many controllers to many servers. Placement, admission and pipes are the real code. */
import type { Router } from 'mediasoup/types';
import { NodeFullError } from '../../src/api/errors.ts';
import { ObjectTree } from '../../src/core/objectTree.ts';
import type { ClusterNode } from '../../src/horizontal/clusterNode.ts';
import { NodePool } from '../../src/horizontal/nodePool.ts';
import { chooseSource } from '../../src/piping/chooseSource.ts';
import { Piper } from '../../src/piping/piper.ts';
import { Streams } from '../../src/piping/streams.ts';
import type { Strategy } from '../../src/placement/strategies.ts';
import { ImaginaryNode } from '../../__tests__/helpers/imaginaryNode.ts';
import { seededRandom } from '../../__tests__/helpers/random.ts';
import { ONE_WAY_MS, PipingServer, routerIdOf } from './pipingServer.ts';
import { CORES } from './simulatedServer.ts';
import { oneWay, SimulatedTime } from './simulatedTime.ts';

const WATERMARK = 66;
const MAX_LOAD = 85;
const REPORT_MS = 1000;
/** Calls that are still under way when the last viewer comes. */
const TAIL_MS = 5000;
const STREAM = 'broadcast';

export interface BroadcastSetup {
  servers: number;
  controllers: number;
  viewers: number;
  /** Time within which all of them come, in ms. */
  within: number;
  strategy: Strategy;
}

export interface BroadcastResult {
  viewers: number;
  /** Joins that have failed. */
  failed: number;
  serversUsed: number;
  pipes: number;
  /** Pipes that were closed again, since another controller had been faster. */
  inVain: number;
  /** Pipes between the stream's server and each of the others: mean and largest. */
  depth: { mean: number; max: number };
  mostFromOneServer: number;
  /** Percent. */
  worstLoad: number;
  callsPerViewer: number;
  /** Calls that a full server has refused. */
  refused: number;
  /** Longest time from a viewer's coming until it has the stream, in ms of the simulated network. */
  slowest: number;
}

class Controller {
  readonly tree: ObjectTree;
  readonly pool: NodePool;
  readonly clients: readonly ImaginaryNode[];
  readonly #streams: Streams;
  readonly #piper: Piper;
  readonly #servers = new Map<ClusterNode, PipingServer>();
  readonly #nodeOf = new Map<string, ClusterNode>();
  readonly #creating = new Map<ClusterNode, number>();

  constructor(tree: ObjectTree, servers: readonly PipingServer[], strategy: Strategy, time: SimulatedTime) {
    this.tree = tree;
    this.pool = new NodePool(strategy, WATERMARK, () => time.now);
    this.clients = servers.map(({ url, serverLoad: { maxLoad } }) =>
      Object.assign(new ImaginaryNode(url), { maxLoad, loadReport: { hosts: [{ cores: CORES }] } }).connect(url),
    );
    for (const { mafalda } of this.clients) this.pool.add(mafalda, false);
    for (const [index, node] of [...this.pool].entries()) {
      this.#servers.set(node, servers[index]!);
      this.#nodeOf.set(routerIdOf(node.id), node);
    }
    this.#streams = new Streams(tree);
    this.#piper = new Piper({
      tree,
      streams: this.#streams,
      network: true,
      room: STREAM,
      decisions: this.pool.pipes,
      domainOf: ({ id }) => id,
      endpointOf: router => this.#serverOf(router).endpoint,
      startsAsleep: () => false,
      chooseSource: places =>
        chooseSource(places, { loadOf: router => this.#nodeOf.get(router.id)!.load, watermark: WATERMARK }),
    });
  }

  /** A viewer comes, and has the stream in the end. */
  async join(): Promise<void> {
    const request = {
      mafaldaRouterId: STREAM,
      isUsed: (node: ClusterNode) => this.#creating.has(node) || this.#servers.get(node)!.router !== undefined,
      countNear: () => new Map<ClusterNode, number>(),
      assertOpen: () => undefined,
    };
    const node = await this.pool.place(request, {}, async chosen => {
      this.#creating.set(chosen, (this.#creating.get(chosen) ?? 0) + 1);
      try {
        await this.#servers.get(chosen)!.createTransport();
        return chosen;
      } finally {
        const left = this.#creating.get(chosen)! - 1;
        if (left > 0) this.#creating.set(chosen, left);
        else this.#creating.delete(chosen);
      }
    });
    const server = this.#servers.get(node)!;
    node.expectConsumer();
    const { arrived } = await this.#piper.announce({ producerId: STREAM }, server.router as unknown as Router);
    await Promise.all([server.consume(), arrived]);
  }

  /** The number of pipes between the stream's server and each that has it. */
  depths(): number[] {
    const places = this.#streams.find(STREAM);
    const depthOf = (routerId: string): number => {
      const from = this.#streams.sourceOf(STREAM, routerId);
      return from === undefined ? 0 : 1 + depthOf(from);
    };
    return places.map(({ router }) => depthOf(router.id));
  }

  close(): void {
    this.pool.close();
    this.#piper.close();
  }

  #serverOf(router: Router): PipingServer {
    return this.#servers.get(this.#nodeOf.get(router.id)!)!;
  }
}

export async function simulateBroadcast(setup: BroadcastSetup): Promise<BroadcastResult> {
  const time = new SimulatedTime();
  const random = seededRandom(1);
  const trees = Array.from({ length: setup.controllers }, () => new ObjectTree());
  const servers = Array.from(
    { length: setup.servers },
    (_, index) => new PipingServer(`wss://server-${index}`, MAX_LOAD, () => time.now, trees),
  );
  const controllers = trees.map(tree => new Controller(tree, servers, setup.strategy, time));
  for (const [index, { serverLoad }] of servers.entries()) {
    serverLoad.report();
    serverLoad.watch(REPORT_MS, ({ load }) => {
      void oneWay(ONE_WAY_MS).then(() => controllers.forEach(({ clients }) => clients[index]!.report(load)));
    });
  }
  servers[0]!.produce(STREAM);

  let [failed, slowest, offered] = [0, 0, 0];
  const joins: Promise<void>[] = [];
  const join = async (controller: Controller): Promise<void> => {
    const begun = time.now;
    try {
      await controller.join();
      slowest = Math.max(slowest, time.now - begun);
    } catch (error) {
      if (!(error instanceof NodeFullError)) throw error;
      ++failed;
    }
  };
  for (let ms = 0; ms < setup.within; ++ms) {
    const due = Math.floor(((ms + 1) * setup.viewers) / setup.within);
    for (; offered < due; ++offered) joins.push(join(controllers[Math.floor(random() * controllers.length)]!));
    await time.pass(1);
  }
  await time.pass(TAIL_MS);
  await Promise.all(joins);

  const used = servers.filter(({ router }) => router !== undefined);
  const depths = controllers[0]!.depths();
  const consumers = servers.map(({ pipes }) => pipes);
  const result: BroadcastResult = {
    viewers: servers.reduce((sum, { viewers }) => sum + viewers, 0),
    failed,
    serversUsed: used.length,
    pipes: consumers.reduce((sum, count) => sum + count, 0),
    inVain: servers.reduce((sum, { pipesEver, pipes }) => sum + pipesEver - pipes, 0),
    depth: { mean: depths.reduce((sum, depth) => sum + depth, 0) / depths.length, max: Math.max(...depths) },
    mostFromOneServer: Math.max(...consumers),
    worstLoad: Math.max(...servers.map(({ worstLoad }) => worstLoad)),
    callsPerViewer: servers.reduce((sum, { calls }) => sum + calls, 0) / setup.viewers,
    refused: servers.reduce((sum, { refused }) => sum + refused, 0),
    slowest,
  };
  for (const controller of controllers) controller.close();
  time.close();
  return result;
}
