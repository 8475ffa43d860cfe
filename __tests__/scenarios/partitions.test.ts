/**
 * Networks that are cut in one place: who does not hear whom, and what goes on nevertheless. Packets are counted. The tests run at once, in one
 * network: none of them cuts, stops or kills what another one needs.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Network, whyNoNamespaces } from '../helpers/netns.ts';
import type { PeerCommand, PeerState } from '../helpers/processes/peer.ts';
import type { WatcherCommand, WatcherReport, WatcherSetup } from '../helpers/processes/watcher.ts';
import { until } from '../helpers/until.ts';

/** For how long something is cut, in ms: long enough to be noticed. `CUT_MS=10000` for the figures. */
const CUT_MS = Number(process.env['CUT_MS'] ?? 4000);
const PACKETS_PER_SECOND = 100;
/** Of the nodes, in ms: longer than anything is cut, also on a busy machine. */
const sessionTimeout = 60_000;
const ssrc = 1111;
const payloadType = 111;

/** Nothing happens to the first three. */
const leaves = ['leaf1', 'leaf2', 'leaf3', 'leaf4', 'leaf5', 'leaf6', 'stopped', 'killed'] as const;
type Leaf = (typeof leaves)[number];
/** Controllers that are cut from something are alone on their host; nothing happens to those on `root`. */
const controllers = ['cutFromFirst', 'cutFromTwo', 'cutFromAll', 'root'] as const;
type Controller = (typeof controllers)[number];

const reason = whyNoNamespaces();
if (reason) console.warn(`the tests of partitions are skipped: ${reason}`);

class Watcher {
  readonly reports: WatcherReport[] = [];
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', report => this.reports.push(report as WatcherReport));
  }

  tell(command: WatcherCommand): void {
    this.#child.send(command);
  }

  find(event: string, after = 0): WatcherReport | undefined {
    return this.reports.find(report => report.event === event && report.at >= after);
  }

  async until(event: string, after = 0, timeoutMs = 20_000): Promise<WatcherReport> {
    await until(event, () => this.find(event, after) !== undefined, timeoutMs).catch((error: Error) => {
      throw new Error(`${error.message}; said was ${this.reports.map(report => report.event).join()}`);
    });
    return this.find(event, after)!;
  }

  events(): string[] {
    return this.reports.map(({ event }) => event);
  }
}

(reason ? describe.skip : describe)(
  reason ? `three nodes (skipped: ${reason})` : 'three nodes, a stream from the first to the second',
  () => {
    let network: Network;
    let servers: Record<Leaf, { child: ChildProcess; said: string }>;

    beforeAll(async () => {
      network = await Network.create([...controllers, ...leaves, 'sender', 'receiver']);
      const start = async (leaf: Leaf) =>
        [
          leaf,
          await network.start<string>(leaf, script('server'), { address: network.addressOf(leaf), sessionTimeout }),
        ] as const;
      servers = Object.fromEntries(await Promise.all(leaves.map(start))) as typeof servers;
    });

    afterAll(() => network.close());

    /** A room in which a controller produces on the first node, and consumes on the second. */
    class Scene {
      readonly #setup: Omit<WatcherSetup, 'producerId'>;
      readonly #sender: ChildProcess;
      readonly #receiver: ChildProcess;
      readonly #ready: WatcherReport;
      readonly root: Watcher;

      static async create(
        controller: Controller,
        nodes: readonly [Leaf, Leaf, Leaf],
        nodeTimeout?: number,
      ): Promise<Scene> {
        const start = (host: string) =>
          network.start<number>(host, script('peer'), { address: network.addressOf(host) });
        const [sender, receiver] = await Promise.all([start('sender'), start('receiver')]);
        const to = { ip: network.addressOf('receiver'), port: receiver.said };
        const setup = {
          room: `${controller}: ${nodes.join()}`,
          nodes: nodes.map(leaf => servers[leaf].said),
          receiver: to,
          ssrc,
          payloadType,
          nodeTimeout,
        };
        const scene = new Scene(setup, sender.child, receiver.child, ...(await watch(controller, setup)));
        await scene.#untilOpen();
        return scene;
      }

      private constructor(
        setup: WatcherSetup,
        sender: ChildProcess,
        receiver: ChildProcess,
        root: Watcher,
        ready: WatcherReport,
      ) {
        this.#setup = setup;
        this.#sender = sender;
        this.#receiver = receiver;
        this.root = root;
        this.#ready = ready;
      }

      /** Another controller, to which nothing happens, consumes the stream too. */
      async watchToo(): Promise<Watcher> {
        const { producerId } = this.#ready;
        const [watcher] = await watch('root', {
          ...this.#setup,
          producerId,
          receiver: { ...this.#setup.receiver, port: 9 },
        });
        return watcher;
      }

      async received(): Promise<number> {
        return (await tell(this.#receiver, { do: 'count' })).received;
      }

      send(count: number): Promise<PeerState> {
        const burstIntervalMs = (10 * 1000) / PACKETS_PER_SECOND;
        return tell(this.#sender, { do: 'send', to: this.#ready.source!, count, ssrc, payloadType, burstIntervalMs });
      }

      /** Something is the matter for a while, in which packets flow. @returns how many of them were lost */
      async during(begin: () => Promise<void> | void, end: () => Promise<void> | void): Promise<number> {
        const before = await this.received();
        const count = ((CUT_MS + 3000) / 1000) * PACKETS_PER_SECOND;
        const sending = this.send(count);
        await new Promise(resolve => setTimeout(resolve, 500));
        await begin();
        await new Promise(resolve => setTimeout(resolve, CUT_MS));
        await end();
        await sending;
        await until('what can arrive has arrived', async () => (await this.received()) >= before + count, 2000).catch(
          () => undefined,
        );
        return before + count - (await this.received());
      }

      closed(): string[] {
        return this.root
          .events()
          .filter(event => event.includes('closed') || event === 'pathlost' || event.startsWith('error'));
      }

      async #untilOpen(): Promise<void> {
        const before = await this.received();
        await until('the way is open', async () => {
          await this.send(10);
          return (await this.received()) > before;
        });
        // Packets that were on their way.
        await new Promise(resolve => setTimeout(resolve, 200));
      }
    }

    async function watch(controller: Controller, setup: WatcherSetup): Promise<[Watcher, WatcherReport]> {
      const { child, said } = await network.start<WatcherReport>(controller, script('watcher'), setup);
      const watcher = new Watcher(child);
      watcher.reports.push(said);
      return [watcher, said];
    }

    test.concurrent.each([
      ['both', 'leaf3', 'leaf4'],
      ['one', 'leaf5', 'leaf6'],
    ] as const)(
      'the first and the second don’t reach each other, in %s direction(s): the way goes by the third, until it has healed',
      async (directions, from, to) => {
        const scene = await Scene.create('root', [from, to, 'leaf1']);
        const { root } = scene;
        const sending = scene.send((CUT_MS / 1000 + 10) * PACKETS_PER_SECOND);
        await new Promise(resolve => setTimeout(resolve, 1000));
        const at = Date.now();
        if (directions === 'both') await network.ways(from, to, 'cut');
        else await network.way(from, to, 'cut');
        const down = await root.until('linkdown', at);
        const again = await root.until('consuming', at);
        const before = await scene.received();
        await until('media flows again', async () => (await scene.received()) > before);
        console.info(
          `said after ${down.at - at} ms, consumed after ${again.at - at} ms, media again after ${Date.now() - at} ms at most`,
        );
        // Where both directions are cut, either may be noticed first.
        const told = directions === 'both' ? [...down.nodes!].sort() : down.nodes;
        expect([told, again.pipes]).toEqual([
          [0, 1],
          expect.arrayContaining([
            [0, 2],
            [2, 1],
          ]),
        ]);
        expect(again.pipes).toHaveLength(2);
        expect(down.linksDown).toBe(1);
        expect(root.events().filter(event => event === 'pathlost')).toHaveLength(1);
        await new Promise(resolve => setTimeout(resolve, CUT_MS));
        expect(root.find('linkup')).toBeUndefined();
        const healed = Date.now();
        if (directions === 'both') await network.ways(from, to, 'open');
        else await network.way(from, to, 'open');
        const up = await root.until('linkup', healed, 30_000);
        console.info(`up ${up.at - healed} ms after it has healed`);
        expect(up.linksDown).toBe(0);
        await sending;
        root.tell({ do: 'close consumers' });
        // Until the pipes that nobody uses have gone.
        await until(
          'the next one comes straight',
          async () => {
            const asked = Date.now();
            root.tell({ do: 'consume', node: 1 });
            const { pipes } = await root.until('consuming', asked);
            root.tell({ do: 'close consumers' });
            if (pipes!.length !== 1) await new Promise(resolve => setTimeout(resolve, 3000));
            return pipes!.length === 1 && pipes![0]!.join() === '0,1';
          },
          30_000,
        );
      },
    );

    test.concurrent('the controller is cut from the first one, while another controller is not', async () => {
      const scene = await Scene.create('cutFromFirst', ['leaf1', 'leaf2', 'leaf3']);
      const { root } = scene;
      const other = await scene.watchToo();
      const lost = await scene.during(
        async () => {
          await network.ways('cutFromFirst', 'leaf1', 'cut');
          await root.until('nodeunreachable');
        },
        () => network.ways('cutFromFirst', 'leaf1', 'open'),
      );
      await root.until('nodereachable');
      expect([lost, scene.closed(), root.find('nodeunreachable')!.nodes, root.find('nodereachable')!.nodes]).toEqual([
        0,
        [],
        [0],
        [0],
      ]);
      expect(other.events().filter(event => event !== 'ready' && event !== 'consuming')).toEqual([]);
    });

    test.concurrent('what happens meanwhile is told afterwards', async () => {
      // A controller that is cut from both gives them up after that time: enough for what happens meanwhile.
      const nodeTimeout = 8000;
      const scene = await Scene.create('cutFromTwo', ['leaf1', 'leaf2', 'leaf3'], nodeTimeout);
      const { root } = scene;
      const other = await scene.watchToo();
      const keptAlive = scene.send(((3 * nodeTimeout) / 1000) * PACKETS_PER_SECOND);
      await network.ways('cutFromTwo', 'leaf1', 'cut');
      await root.until('nodeunreachable');
      await network.ways('cutFromTwo', 'leaf2', 'cut');
      other.tell({ do: 'pause' });
      await other.until('producerpause');
      expect(root.find('producerpause')).toBeUndefined();
      for (const leaf of ['leaf1', 'leaf2']) await network.ways('cutFromTwo', leaf, 'open');
      await root.until('producerpause');
      await keptAlive;
      expect(scene.closed()).toEqual([]);
    });

    test.concurrent('the controller is cut from all', async () => {
      const scene = await Scene.create('cutFromAll', ['leaf1', 'leaf2', 'leaf3']);
      const { root } = scene;
      const lost = await scene.during(
        () => network.plug('cutFromAll', 'out'),
        () => network.plug('cutFromAll', 'in'),
      );
      await until('all are back', () => root.events().filter(event => event === 'nodereachable').length === 3, 20_000);
      expect([lost, scene.closed(), root.events().filter(event => event === 'nodeunreachable')]).toEqual([
        0,
        [],
        Array(3).fill('nodeunreachable'),
      ]);
    });

    test.concurrent('the process of the first one is stopped, and its Workers are not', async () => {
      const scene = await Scene.create('root', ['stopped', 'leaf1', 'leaf2']);
      const { root } = scene;
      const lost = await scene.during(
        async () => {
          servers.stopped.child.kill('SIGSTOP');
          await root.until('nodeunreachable');
        },
        () => void servers.stopped.child.kill('SIGCONT'),
      );
      await root.until('nodereachable');
      expect([lost, scene.closed()]).toEqual([0, []]);
    });

    test.concurrent('the first one is killed', async () => {
      const scene = await Scene.create('root', ['killed', 'leaf1', 'leaf2']);
      const { root } = scene;
      const sending = scene.send(5 * PACKETS_PER_SECOND);
      await new Promise(resolve => setTimeout(resolve, 1000));
      const at = Date.now();
      servers.killed.child.kill('SIGKILL');
      const ends = [await root.until('source closed'), await root.until('consumer closed')];
      console.info(`closed after ${ends.map(end => end.at - at).join(' and ')} ms`);
      await sending;
      expect([root.find('pathlost'), root.find('nodeunreachable')]).toEqual([undefined, undefined]);
    });
  },
);

function script(name: string): string {
  return fileURLToPath(new URL(`../helpers/processes/${name}.ts`, import.meta.url));
}

async function tell(peer: ChildProcess, command: PeerCommand): Promise<PeerState> {
  const answer = once(peer, 'message');
  peer.send(command);
  const [state] = (await answer) as [PeerState];
  return state;
}
