/** Networks that are cut in one place: who does not hear whom, and what goes on nevertheless. Packets are counted. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
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
const ssrc = 1111;
const payloadType = 111;

const leaves = ['leaf1', 'leaf2', 'leaf3'];
const hosts = ['root', 'root2', ...leaves, 'sender', 'receiver'];

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

(reason ? describe.skip : describe)(reason ? `three nodes (skipped: ${reason})` : 'three nodes, a stream from the first to the second', () => {
  let network: Network;
  let servers: ChildProcess[];
  let nodes: string[];
  let sender: ChildProcess;
  let receiver: ChildProcess;
  let to: { ip: string; port: number };
  let root: Watcher;
  let source: { ip: string; port: number };

  async function watch(host: string, setup: Partial<WatcherSetup> = {}): Promise<{ watcher: Watcher; said: WatcherReport }> {
    const { child, said } = await network.start<WatcherReport>(host, script('watcher'), { nodes, receiver: to, ssrc, payloadType, ...setup });
    const watcher = new Watcher(child);
    watcher.reports.push(said);
    return { watcher, said };
  }

  beforeEach(async () => {
    network = await Network.create(hosts);
    const started = await Promise.all(leaves.map(host => network.start<string>(host, script('server'), { address: network.addressOf(host) })));
    servers = started.map(({ child }) => child);
    nodes = started.map(({ said }) => said);
    const peers = await Promise.all(['sender', 'receiver'].map(host => network.start<number>(host, script('peer'), { address: network.addressOf(host) })));
    [sender, receiver] = peers.map(({ child }) => child) as [ChildProcess, ChildProcess];
    to = { ip: network.addressOf('receiver'), port: peers[1]!.said };
    const { watcher, said } = await watch('root');
    root = watcher;
    source = said.source!;
    await untilOpen();
  }, 60_000);

  afterEach(() => network.close());

  async function received(): Promise<number> {
    return (await tell(receiver, { do: 'count' })).received;
  }

  function send(count: number): Promise<PeerState> {
    return tell(sender, { do: 'send', to: source, count, ssrc, payloadType, burstIntervalMs: (10 * 1000) / PACKETS_PER_SECOND });
  }

  async function untilOpen(): Promise<void> {
    const before = await received();
    await until('the way is open', async () => {
      await send(10);
      return (await received()) > before;
    });
    // Those that were on their way.
    await new Promise(resolve => setTimeout(resolve, 200));
  }

  /** Something is the matter for a while, in which packets flow. @returns how many of them were lost */
  async function during(begin: () => Promise<void> | void, end: () => Promise<void> | void): Promise<number> {
    const before = await received();
    const count = ((CUT_MS + 3000) / 1000) * PACKETS_PER_SECOND;
    const sending = send(count);
    await new Promise(resolve => setTimeout(resolve, 500));
    await begin();
    await new Promise(resolve => setTimeout(resolve, CUT_MS));
    await end();
    await sending;
    await until('what can arrive has arrived', async () => (await received()) >= before + count, 2000).catch(() => undefined);
    return before + count - (await received());
  }

  function closed(): string[] {
    return root.events().filter(event => event.includes('closed') || event === 'pathlost' || event.startsWith('error'));
  }

  test('the controller is cut from the first one, while another controller is not', async () => {
    const { watcher: other } = await watch('root2', { producerId: root.find('ready')!.producerId, receiver: { ...to, port: 9 } });
    const lost = await during(
      async () => {
        await network.ways('root', 'leaf1', 'cut');
        await root.until('nodeunreachable');
      },
      () => network.ways('root', 'leaf1', 'open'),
    );
    await root.until('nodereachable');
    expect([lost, closed(), root.find('nodeunreachable')!.nodes, root.find('nodereachable')!.nodes]).toEqual([0, [], [0], [0]]);
    expect(other.events().filter(event => event !== 'ready' && event !== 'consuming')).toEqual([]);
  }, 90_000);

  test('what happens meanwhile is told afterwards', async () => {
    const { watcher: other } = await watch('root2', { producerId: root.find('ready')!.producerId, receiver: { ...to, port: 9 } });
    const keptAlive = send((CUT_MS / 1000 + 4) * PACKETS_PER_SECOND);
    await network.ways('root', 'leaf1', 'cut');
    await root.until('nodeunreachable');
    await network.ways('root', 'leaf2', 'cut');
    other.tell({ do: 'pause' });
    await other.until('producerpause');
    expect(root.find('producerpause')).toBeUndefined();
    for (const leaf of ['leaf1', 'leaf2']) await network.ways('root', leaf, 'open');
    await root.until('producerpause');
    await keptAlive;
    expect(closed()).toEqual([]);
  }, 90_000);

  test('the controller is cut from all', async () => {
    const lost = await during(
      () => network.plug('root', 'out'),
      () => network.plug('root', 'in'),
    );
    await until('all are back', () => root.events().filter(event => event === 'nodereachable').length === 3, 20_000);
    expect([lost, closed(), root.events().filter(event => event === 'nodeunreachable')]).toEqual([0, [], Array(3).fill('nodeunreachable')]);
  }, 90_000);

  test('the process of the first one is stopped, and its Workers are not', async () => {
    const lost = await during(
      async () => {
        servers[0]!.kill('SIGSTOP');
        await root.until('nodeunreachable');
      },
      () => void servers[0]!.kill('SIGCONT'),
    );
    await root.until('nodereachable');
    expect([lost, closed()]).toEqual([0, []]);
  }, 90_000);

  test('the first one is killed', async () => {
    const sending = send(5 * PACKETS_PER_SECOND);
    await new Promise(resolve => setTimeout(resolve, 1000));
    const at = Date.now();
    servers[0]!.kill('SIGKILL');
    const ends = [await root.until('source closed'), await root.until('consumer closed')];
    console.info(`closed after ${ends.map(end => end.at - at).join(' and ')} ms`);
    await sending;
    expect([root.find('pathlost'), root.find('nodeunreachable')]).toEqual([undefined, undefined]);
  }, 60_000);

  test.each(['both', 'one'] as const)('the first and the second don’t reach each other, in %s direction(s): the way goes by the third, until it has healed', async directions => {
    const sending = send((CUT_MS / 1000 + 10) * PACKETS_PER_SECOND);
    await new Promise(resolve => setTimeout(resolve, 1000));
    const at = Date.now();
    if (directions === 'both') await network.ways('leaf1', 'leaf2', 'cut');
    else await network.way('leaf1', 'leaf2', 'cut');
    const down = await root.until('linkdown', at);
    const again = await root.until('consuming', at);
    const before = await received();
    await until('media flows again', async () => (await received()) > before);
    console.info(`said after ${down.at - at} ms, consumed after ${again.at - at} ms, media again after ${Date.now() - at} ms at most`);
    // Where both directions are cut, either may be noticed first.
    const told = directions === 'both' ? [...down.nodes!].sort() : down.nodes;
    expect([told, again.pipes]).toEqual([[0, 1], expect.arrayContaining([[0, 2], [2, 1]])]);
    expect(again.pipes).toHaveLength(2);
    expect(root.events().filter(event => event === 'pathlost')).toHaveLength(1);
    await new Promise(resolve => setTimeout(resolve, CUT_MS));
    expect(root.find('linkup')).toBeUndefined();
    const healed = Date.now();
    if (directions === 'both') await network.ways('leaf1', 'leaf2', 'open');
    else await network.way('leaf1', 'leaf2', 'open');
    const up = await root.until('linkup', healed, 30_000);
    console.info(`up ${up.at - healed} ms after it has healed`);
    await sending;
    root.tell({ do: 'close consumers' });
    // Until the pipes that nobody uses have gone.
    await until('the next one comes straight', async () => {
      const asked = Date.now();
      root.tell({ do: 'consume', node: 1 });
      const { pipes } = await root.until('consuming', asked);
      root.tell({ do: 'close consumers' });
      if (pipes!.length !== 1) await new Promise(resolve => setTimeout(resolve, 3000));
      return pipes!.length === 1 && pipes![0]!.join() === '0,1';
    }, 30_000);
  }, 150_000);
});

function script(name: string): string {
  return fileURLToPath(new URL(`../helpers/processes/${name}.ts`, import.meta.url));
}

async function tell(peer: ChildProcess, command: PeerCommand): Promise<PeerState> {
  const answer = once(peer, 'message');
  peer.send(command);
  const [state] = (await answer) as [PeerState];
  return state;
}
