/** The Autoscaler over real servers, with real Workers. */
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Autoscaler, type AutoscalerOptions } from '../../../src/autoscale/index.ts';
import { MafaldaHorizontal, ProvisionError, type MafaldaHorizontalOptions } from '../../../src/index.ts';
import { MemoryLeases } from '../../helpers/autoscale/memoryLease.ts';
import { ServedProvisioner } from '../../helpers/autoscale/servedProvisioner.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

interface Cluster {
  mafalda: MafaldaHorizontal;
  provisioner: ServedProvisioner;
  autoscaler: Autoscaler;
  errors: Error[];
}

function cluster(
  options: Partial<AutoscalerOptions> = {},
  {
    provisioner = opened(new ServedProvisioner()),
    ...more
  }: MafaldaHorizontalOptions & { provisioner?: ServedProvisioner } = {},
): Cluster {
  const mafalda = opened(new MafaldaHorizontal([], { watermarkNode: 4, ...more }));
  const autoscaler = new Autoscaler(mafalda, provisioner, { max: 4, interval: 20, ...options });
  opened({ close: () => autoscaler.stop() });
  const errors: Error[] = [];
  autoscaler.on('error', error => void errors.push(error));
  return { mafalda, provisioner, autoscaler, errors };
}

function connected(mafalda: MafaldaHorizontal): number {
  return [...mafalda].filter(node => mafalda.stateOf(node)!.connected).length;
}

test('the least number of servers is started, told of, and left running', async () => {
  const { mafalda, provisioner, autoscaler, errors } = cluster({ min: 2 });
  const scaledOut = once(autoscaler, 'scaleout');
  const wanted = once(autoscaler, 'wanted');
  expect([autoscaler.wanted, autoscaler.leading]).toEqual([0, false]);
  expect(autoscaler.start().start()).toBe(autoscaler);
  expect(await wanted).toEqual([2]);
  const [servers] = (await scaledOut) as [{ id: string; url: string }[]];
  expect(servers.map(({ id }) => id).sort()).toEqual(['server-1', 'server-2']);
  await until('they are connected', () => connected(mafalda) === 2);
  await until('they are known as running', () => autoscaler.servers.every(({ phase }) => phase === 'running'));
  expect(() => new Autoscaler(mafalda, provisioner, { max: 1 }).start()).toThrow('has an Autoscaler already');
  await autoscaler.stop();
  expect(() => autoscaler.start()).toThrow('was stopped');
  expect([mafalda.size, provisioner.requests.length, errors]).toEqual([2, 2, []]);
  expect([mafalda.listenerCount('nodeconnected'), mafalda.whenFull]).toEqual([0, undefined]);
});

test('a join that finds no server waits for the first one, and joins that find no room for another one', async () => {
  const { mafalda, provisioner, autoscaler } = cluster({ min: 0, interval: 60_000, maxWait: 60_000 });
  autoscaler.start();
  const room = mafalda.createMafaldaRouter();
  const first = await room.createDirectTransport();
  expect(provisioner.requests).toHaveLength(1);
  // Each is expected to take 2 % of a core until it shows in a report.
  const joins = await Promise.all(Array.from({ length: 40 }, () => room.createDirectTransport()));
  const nodes = new Set([first, ...joins].map(transport => mafalda.nodeOf(transport)));
  expect(provisioner.requests.length).toBeGreaterThan(1);
  expect(provisioner.most).toBeLessThanOrEqual(4);
  expect(nodes.size).toBe(provisioner.servers.size);
});

test('a join does not wait where nothing is on its way, nor longer than it may', async () => {
  const full = cluster({ min: 1, max: 1, maxWait: 60_000 }, { watermarkNode: 0 });
  full.autoscaler.start();
  await until('the server is connected', () => connected(full.mafalda) === 1);
  await full.mafalda.createMafaldaRouter().createDirectTransport();

  const slow = cluster({ min: 1, max: 2, maxWait: 50 }, { watermarkNode: 0 });
  slow.autoscaler.start();
  await until('the server is connected', () => connected(slow.mafalda) === 1);
  slow.provisioner.onStart = ({ signal }) => once(signal, 'abort').then(() => Promise.reject(new Error('given up')));
  await slow.mafalda.createMafaldaRouter().createDirectTransport();
  expect(slow.provisioner.requests).toHaveLength(2);
  await slow.autoscaler.stop();
  expect(slow.provisioner.servers.size).toBe(1);
});

test('servers that are no longer needed are drained, and stopped when they are empty; nobody is cut', async () => {
  const { mafalda, provisioner, autoscaler } = cluster({ min: 1, scaleInAfter: 300 });
  for (let count = 0; count < 2; ++count) mafalda.add((await provisioner.add()).url);
  await until('both are connected', () => connected(mafalda) === 2);
  const room = mafalda.createMafaldaRouter();
  const [one, other] = [...mafalda].map(node => room.createDirectTransport({ placement: { node } }));
  const [staying, leaving] = [await one!, await other!];
  autoscaler.start();
  await until('one is drained', () => autoscaler.servers.some(({ phase }) => phase === 'draining'));
  const drained = [staying, leaving].find(transport => mafalda.stateOf(mafalda.nodeOf(transport)!)!.draining)!;
  expect(provisioner.stopped).toEqual([]);
  const scaledIn = once(autoscaler, 'scalein');
  drained.close();
  const [{ id }] = (await scaledIn) as [{ id: string }];
  expect(provisioner.stopped).toEqual([id]);
  expect([mafalda.size, [staying, leaving].filter(({ closed }) => closed)]).toEqual([1, [drained]]);
});

test('a server that is not listed any more is gone, and replaced', async () => {
  const { mafalda, provisioner, autoscaler } = cluster({ min: 1 });
  autoscaler.start();
  await until('the server is connected', () => connected(mafalda) === 1);
  const lost = once(autoscaler, 'serverlost');
  const [id, served] = [...provisioner.servers][0]!;
  provisioner.servers.delete(id);
  await served.close();
  expect(await lost).toMatchObject([{ id }]);
  await until('another one is connected', () => connected(mafalda) === 1);
  expect([provisioner.requests.length, mafalda.size]).toEqual([2, 1]);
});

describe('failures', () => {
  test('a start that fails is told of, and tried again', async () => {
    const { mafalda, provisioner, autoscaler, errors } = cluster({ min: 1 });
    provisioner.onStart = () => Promise.reject(new Error('no quota'));
    const failed = once(autoscaler, 'error');
    autoscaler.start();
    expect(await failed).toMatchObject([{ code: 'ERR_MAFALDA_PROVISION', operation: 'start' }]);
    expect(errors[0]!.message).toBe('start() of the provisioner has failed: no quota');
    provisioner.onStart = () => undefined;
    await until('it is tried again', () => connected(mafalda) === 1);
    expect(errors).toHaveLength(1);
  });

  test('nothing is decided before it is known what there is', async () => {
    const { mafalda, provisioner, autoscaler, errors } = cluster({ min: 1 });
    await provisioner.add();
    const list = provisioner.list.bind(provisioner);
    provisioner.list = () => Promise.reject(new Error('not today'));
    autoscaler.start();
    await until('it is told of', () => errors.length > 2);
    expect([errors[0]!.message, provisioner.requests.length]).toEqual([
      'list() of the provisioner has failed: not today',
      0,
    ]);
    provisioner.list = list;
    await until('the forgotten server is used', () => connected(mafalda) === 1);
    expect([provisioner.requests.length, autoscaler.wanted]).toEqual([0, 1]);
  });

  test('more servers than there may be are found, and stopped', async () => {
    const { mafalda, provisioner, autoscaler } = cluster({ max: 1 });
    for (let count = 0; count < 3; ++count) await provisioner.add();
    autoscaler.start();
    await until('two are stopped', () => provisioner.stopped.length === 2 && connected(mafalda) === 1);
    expect(provisioner.requests).toEqual([]);
  });

  test('a server that comes too late is stopped, and so is one that never connects', async () => {
    const { provisioner, autoscaler, errors } = cluster({ min: 1, startTimeout: 100 });
    let comes = (): void => undefined;
    provisioner.onStart = () => new Promise(resolve => (comes = resolve));
    autoscaler.start();
    await until('it is given up', () => errors.length > 0);
    expect(errors[0]!.message).toBe('start() of the provisioner has taken longer than 100 ms');
    provisioner.onStart = () => Promise.reject(new Error('none'));
    comes();
    await until('the late one is stopped', () => provisioner.stopped.length === 1);

    const deaf = cluster({ min: 1, startTimeout: 200 });
    deaf.provisioner.start = async () => ({ id: 'deaf', url: 'ws://127.0.0.1:1' });
    deaf.provisioner.list = async () => [{ id: 'deaf' }];
    deaf.autoscaler.start();
    await until('it is stopped', () => deaf.provisioner.stopped.includes('deaf'));
    expect(deaf.errors[0]).toBeInstanceOf(ProvisionError);
    expect(deaf.errors[0]!.message).toMatch(/"deaf" is stopped: it has not connected in/);
    expect(deaf.mafalda.size).toBe(0);
  });

  test.each([
    [undefined, 'a server is expected as { id, url }'],
    [{ id: 'a', url: 'http://a' }, 'must begin with ws:// or wss://'],
  ])('an answer that is none (%j) is a failure', async (answer, message) => {
    const { provisioner, autoscaler, errors } = cluster({ min: 1 });
    provisioner.start = async () => answer as never;
    autoscaler.start();
    await until('it is told of', () => errors.length > 0);
    expect(errors[0]!.message).toContain(message);
  });
});

describe('several', () => {
  test('one decides; when it is killed another one does, and nothing is started twice', async () => {
    // A busy machine may keep a leader from renewing its lease in time: then another one leads, or the same again.
    const leases = new MemoryLeases(1000);
    const provisioner = opened(new ServedProvisioner());
    const fences = (): number[] => provisioner.requests.map(({ fence }) => fence!);
    const [one, other] = [leases.lease(), leases.lease()];
    const first = cluster({ min: 2, lease: one }, { provisioner });
    const second = cluster({ min: 2, lease: other }, { provisioner });
    first.autoscaler.start();
    await until('the first one leads', () => first.autoscaler.leading);
    second.autoscaler.start();
    await until('both use both servers', () => connected(first.mafalda) + connected(second.mafalda) === 4);
    const before = fences();
    expect(before).toHaveLength(2);
    expect(before[1]).toBeGreaterThanOrEqual(before[0]!);

    one.isDead = true;
    await until('the second one leads', () => second.autoscaler.leading);
    await until('the first one has noticed', () => !first.autoscaler.leading);
    const [id] = [...provisioner.servers.keys()] as [string];
    const served = provisioner.servers.get(id)!;
    provisioner.servers.delete(id);
    await served.close();
    await until('it is replaced', () => provisioner.servers.size === 2);
    expect(fences()).toEqual([...before, expect.any(Number)]);
    expect(fences().at(-1)).toBeGreaterThan(Math.max(...before));
    expect(provisioner.most).toBe(2);
  });

  test('a server is drained for all of them, and used again by all', async () => {
    const leases = new MemoryLeases(3000);
    const provisioner = opened(new ServedProvisioner());
    const urls = [await provisioner.add(), await provisioner.add()].map(({ url }) => url);
    const options = { min: 1, max: 2, scaleInAfter: 200, drainDeadline: 60_000 };
    const leader = cluster({ ...options, lease: leases.lease() }, { provisioner, watermarkNode: 66 });
    const follower = cluster({ ...options, lease: leases.lease() }, { provisioner, watermarkNode: 66 });
    for (const url of urls) leader.mafalda.add(url);
    await until('both servers are connected', () => connected(leader.mafalda) === 2);
    const room = leader.mafalda.createMafaldaRouter();
    for (const node of leader.mafalda) await room.createDirectTransport({ placement: { node } });
    leader.autoscaler.start();
    await until('it leads', () => leader.autoscaler.leading);
    follower.autoscaler.start();
    const draining = ({ mafalda }: Cluster): number =>
      [...mafalda].filter(node => mafalda.stateOf(node)!.draining).length;
    await until('both know of the drain', () => draining(leader) === 1 && draining(follower) === 1);
    await leader.autoscaler.stop();
    await until('the other one leads', () => follower.autoscaler.leading);
    // More than one server takes is needed: the drained one is used again, though the other process has drained it.
    follower.mafalda.strategy = nodes => nodes[0];
    const busy = follower.mafalda.createMafaldaRouter();
    await Promise.all(Array.from({ length: 140 }, () => busy.createDirectTransport()));
    await until('it is used again', () => draining(follower) === 0);
    expect([provisioner.requests, provisioner.stopped]).toEqual([[], []]);
  });
});

test('somebody else scales: the number is told, and nothing is done', async () => {
  const provisioner = opened(new ServedProvisioner());
  const { url } = await provisioner.add();
  const mafalda = opened(new MafaldaHorizontal([url]));
  const autoscaler = new Autoscaler(mafalda, undefined, { min: 1, max: 9, scaleInAfter: 0, interval: 20 });
  opened({ close: () => autoscaler.stop() });
  const wanted = once(autoscaler, 'wanted');
  await once(mafalda, 'connected');
  autoscaler.start();
  expect(await wanted).toEqual([1]);
  expect(autoscaler.servers).toMatchObject([{ id: url, phase: 'running', fixed: true }]);
});

test.each([
  [{}, 'max must be an integer'],
  [{ max: 2, interval: 0 }, 'interval must be a number of milliseconds'],
  [{ max: 2, maxWait: -1 }, 'maxWait must be a number of milliseconds'],
  [{ max: 2, lease: {} }, 'lease must be an object'],
  [{ max: 2, headrom: 0.1 }, 'unknown option headrom, do you mean headroom?'],
])('the options %j are refused', (options, message) => {
  const { mafalda } = cluster();
  expect(() => new Autoscaler(mafalda, undefined, options as AutoscalerOptions)).toThrow(message);
});
