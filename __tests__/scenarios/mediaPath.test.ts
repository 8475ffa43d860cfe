/** Media runs straight between the machines that have mediasoup, whatever tiers there are above them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Network, whyNoNamespaces, type Traffic } from '../helpers/netns.ts';
import type { PeerCommand, PeerState } from '../helpers/processes/peer.ts';
import type { RootReport } from '../helpers/processes/root.ts';
import { until } from '../helpers/until.ts';

const PACKETS = 1000;
/** Some times `nodeTimeout`. */
const GIVEN_UP_WITHIN_MS = 9000;
/** TCP tries to connect less and less often. */
const BACK_WITHIN_MS = 20_000;
const ssrc = 1111;
const payloadType = 111;

type Path = Extract<RootReport, object>;

const leaves = ['leaf1', 'leaf2', 'leaf3', 'leaf4'];
const controllers = ['root', 'middle1', 'middle2'];
const hosts = [...controllers, ...leaves, 'sender', 'receiver'];

const reason = whyNoNamespaces();
if (reason) console.warn(`the tests of the way that media takes are skipped: ${reason}`);

(reason ? describe.skip : describe)(
  reason
    ? `root → 2 middle → 4 leaves (skipped: ${reason})`
    : 'root → 2 middle → 4 leaves, each with an address of its own',
  () => {
    let network: Network;
    let sender: ChildProcess;
    let receiver: ChildProcess;
    let root: ChildProcess;
    let path: Path;

    beforeAll(async () => {
      network = await Network.create(hosts);
      const serve = async (host: string, nodes?: string[]): Promise<string> =>
        (await network.start<string>(host, script('server'), { address: network.addressOf(host), nodes })).said;
      const below = await Promise.all(leaves.map(host => serve(host)));
      const nodes = await Promise.all([serve('middle1', below.slice(0, 2)), serve('middle2', below.slice(2))]);
      const peers = await Promise.all(
        ['sender', 'receiver'].map(host =>
          network.start<number>(host, script('peer'), { address: network.addressOf(host) }),
        ),
      );
      [sender, receiver] = peers.map(({ child }) => child) as [ChildProcess, ChildProcess];
      const to = { ip: network.addressOf('receiver'), port: peers[1]!.said };
      ({ child: root, said: path } = await network.start<Path>('root', script('root'), {
        nodes,
        receiver: to,
        ssrc,
        payloadType,
      }));
    });

    afterAll(() => network.close());

    function hostAt({ ip }: Path['sink']): string {
      return hosts.find(host => network.addressOf(host) === ip)!;
    }

    async function untilOpen(): Promise<void> {
      const { received } = await tell(receiver, { do: 'count' });
      await until('the way is open', async () => {
        await tell(sender, { do: 'send', to: path.source, count: 10, ssrc, payloadType });
        return (await tell(receiver, { do: 'count' })).received > received;
      });
    }

    test('media runs between the two leaves only', async () => {
      const [source, sink] = [hostAt(path.source), hostAt(path.sink)];
      expect(leaves.slice(0, 2)).toContain(source);
      expect(leaves.slice(2)).toContain(sink);
      await untilOpen();

      const before = await traffic(network);
      const { received } = await tell(receiver, { do: 'count' });
      await tell(sender, { do: 'send', to: path.source, count: PACKETS, ssrc, payloadType });
      await until(
        'all have arrived',
        async () => (await tell(receiver, { do: 'count' })).received >= received + PACKETS,
      );
      const after = await traffic(network);

      const passed = (host: string): Traffic => difference(after[host]!, before[host]!);
      for (const host of [source, sink]) {
        expect(passed(host).udpIn).toBeGreaterThanOrEqual(PACKETS);
        expect(passed(host).udpOut).toBeGreaterThanOrEqual(PACKETS);
        expect(passed(host).packets).toBeGreaterThanOrEqual(2 * PACKETS);
      }
      for (const host of [...controllers, ...leaves].filter(name => name !== source && name !== sink)) {
        const { udpIn, udpOut, packets } = passed(host);
        expect({ host, udpIn, udpOut }).toEqual({ host, udpIn: 0, udpOut: 0 });
        // Reports and pings, over TCP.
        expect(packets).toBeLessThan(PACKETS / 5);
      }
    });

    test('a leaf whose plug is pulled is replaced by its sibling, and takes over from it when it is back', async () => {
      const first = hostAt(path.sink);
      for (const expected of [leaves.slice(2).find(leaf => leaf !== first)!, first]) {
        const lost = hostAt(path.sink);
        const closed = report(root);
        await network.plug(lost, 'out');
        expect(await Promise.race([closed, timeout(GIVEN_UP_WITHIN_MS)])).toBe('closed');
        // The other one may only just have come back.
        await until(
          'there is another',
          async () => {
            const said = report(root);
            root.send('consume');
            const again = await said;
            if (typeof again !== 'object') return false;
            path = again;
            return true;
          },
          BACK_WITHIN_MS,
        );
        expect(hostAt(path.sink)).toBe(expected);
        await untilOpen();
        await network.plug(lost, 'in');
      }
    });
  },
);

async function report(root: ChildProcess): Promise<RootReport> {
  const [said] = (await once(root, 'message')) as [RootReport];
  return said;
}

function timeout(ms: number): Promise<string> {
  return new Promise(resolve => setTimeout(resolve, ms, `nothing in ${ms} ms`).unref());
}

function script(name: string): string {
  return fileURLToPath(new URL(`../helpers/processes/${name}.ts`, import.meta.url));
}

async function tell(peer: ChildProcess, command: PeerCommand): Promise<PeerState> {
  peer.send(command);
  const [state] = (await once(peer, 'message')) as [PeerState];
  return state;
}

async function traffic(network: Network): Promise<Record<string, Traffic>> {
  return Object.fromEntries(await Promise.all(hosts.map(async host => [host, await network.trafficOf(host)] as const)));
}

function difference(after: Traffic, before: Traffic): Traffic {
  return {
    packets: after.packets - before.packets,
    udpIn: after.udpIn - before.udpIn,
    udpOut: after.udpOut - before.udpOut,
  };
}
