/**
 * Peers of a swarm as processes on hosts of their own, who all talk to each other: one is killed, the network is cut in
 * two and heals, one comes late. Each packet is counted. `SWARM_PEERS=12 CUT_MS=10000` for more of it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { whyNoNamespaces } from '../helpers/netns.ts';
import { RealSwarm, type Delivery, type RealPeer } from '../helpers/realSwarm.ts';
import { until } from '../helpers/until.ts';

/** Peers, beside the one that is killed and the one that comes late. */
const COUNT = Number(process.env['SWARM_PEERS'] ?? 6) - 2;
/** For how long the network is cut, in ms: long enough for each half to give the other up. */
const CUT_MS = Number(process.env['CUT_MS'] ?? 6000);
/** For how long it is looked at that nothing is lost, in ms. */
const WINDOW_MS = 2000;
const HEAL_TIMEOUT_MS = 30_000;

const reason = whyNoNamespaces();
if (reason) console.warn(`the tests of real swarms are skipped: ${reason}`);

(reason ? describe.skip : describe)(reason ? `a swarm (skipped: ${reason})` : 'a swarm in which all hear all', () => {
  const names = Array.from({ length: COUNT }, (_, index) => `peer${index}`);
  let swarm: RealSwarm;

  beforeAll(async () => {
    swarm = await RealSwarm.create([...names, 'killed', 'late']);
    for (const name of [...names, 'killed']) await swarm.start(name);
    await swarm.talk();
  });

  afterAll(() => swarm?.close());

  const survivors = (): RealPeer[] => names.map(name => swarm.get(name));
  const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

  test('a peer that is killed costs the others no packet', async () => {
    const { stream } = swarm.get('killed');
    const deliveries = await swarm.during(survivors(), async () => {
      await swarm.kill('killed');
      await until('all have noticed', async () =>
        [...(await swarm.reports()).values()].every(({ consuming }) => !consuming.includes(stream)),
      );
    });
    expect(flawed(deliveries)).toEqual([]);
  });

  test('a partition costs neither half a packet of its own, and heals without doubled streams', async () => {
    const far = survivors().slice(0, COUNT / 2);
    const near = survivors().slice(COUNT / 2);
    // The stream with this id that is older is the first one.
    const [owner, rival] = [far[0]!, near[0]!];
    await swarm.network.split(far.map(({ name }) => name));
    const halves = await Promise.all(
      [far, near].map(half =>
        swarm.during(half, async () => {
          await pause(CUT_MS);
          const others = survivors().filter(peer => !half.includes(peer));
          await until('the other half is given up', async () =>
            [...(await swarm.reports(half)).values()].every(({ consuming }) =>
              others.every(({ stream }) => !consuming.includes(stream)),
            ),
          );
          await swarm.untilHeard(half, HEAL_TIMEOUT_MS);
        }),
      ),
    );
    expect(flawed(halves.flat())).toEqual([]);
    for (const peer of [owner, rival]) expect(await peer.call('produce', 'stage')).toBe('stage');

    await swarm.network.heal();
    const healedAt = Date.now();
    await swarm.untilHeard(survivors(), HEAL_TIMEOUT_MS);
    const urls = survivors().map(({ url }) => url);
    await until('all know all', async () =>
      [...(await swarm.reports())].every(([{ url }, { peers }]) =>
        urls.every(other => other === url || peers.includes(other)),
      ),
    );
    console.info(`all hear all ${Date.now() - healedAt} ms after the network has healed`);
    await until('the younger stream has gone', async () => {
      const reports = await swarm.reports();
      return !reports.get(rival)!.producing.includes('stage');
    });
    const reports = await swarm.reports();
    expect(reports.get(owner)!.producing).toContain('stage');
    expect([...reports].flatMap(([{ name }, { errors }]) => errors.map(error => [name, error]))).toEqual([
      [rival.name, expect.stringContaining('a Producer with same id "stage" already exists, and is older')],
    ]);
    const deliveries = await swarm.during(survivors(), () => pause(WINDOW_MS));
    expect(flawed(deliveries)).toEqual([]);
    expect([...reports.values()].map(({ copies }) => copies)).toEqual(reports.size === 0 ? [] : names.map(() => 1));
  });

  test('a peer that comes late hears all, is heard by all, and takes load', async () => {
    const late = await swarm.start('late');
    await swarm.talk();
    const [full] = survivors();
    await until('something is placed there', async () => (await full!.call('place')) === late.url, 60_000);
    const deliveries = await swarm.during([...swarm.peers.values()], () => pause(WINDOW_MS));
    expect(flawed(deliveries)).toEqual([]);
  });
});

/**
 * Returns the streams of which something has come twice, or was lost, though their way did not lead through a peer that
 * was.
 */
function flawed(deliveries: readonly Delivery[]): Delivery[] {
  return deliveries.filter(
    ({ sent, received, doubled, hasLostPath }) => sent === 0 || doubled > 0 || (received !== sent && !hasLostPath),
  );
}
