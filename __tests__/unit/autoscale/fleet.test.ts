import { expect, test } from '@jest/globals';
import { Fleet, type FleetNode, type FleetNodes } from '../../../src/autoscale/fleet.ts';
import type { MafaldaApi, NodeDump } from '../../../src/index.ts';

/** Nodes of a cluster, by URL, as the test says that they are. */
class Nodes implements FleetNodes {
  readonly byUrl = new Map<string, FleetNode>();

  get all(): FleetNode[] {
    return [...this.byUrl.values()];
  }

  find(url: string): FleetNode | undefined {
    return this.byUrl.get(url);
  }

  set(url: string, state: Partial<NodeDump> = {}, transports = 0): this {
    const mafalda = { loadReport: { hosts: [{ cores: 8 }], workers: [{ transports }] } } as unknown as MafaldaApi;
    const dump = { id: url, connected: true, unreachable: false, draining: false, load: 20, ...state };
    this.byUrl.set(url, { state: dump, mafalda });
    return this;
  }
}

function phases(fleet: Fleet, nodes: Nodes): Record<string, string> {
  return Object.fromEntries(fleet.states(nodes, LATER).map(({ id, phase }) => [id, phase]));
}

/** Later than all that happens. */
const LATER = 1e6;

test('a server goes from its order to the end of its machine', () => {
  const [fleet, nodes] = [new Fleet(false), new Nodes().set('ws://fixed')];
  const order = fleet.order('eu', 10);
  expect([fleet.isGrowing(), fleet.isGrowing('eu'), fleet.isGrowing('us')]).toEqual([true, true, false]);
  expect(phases(fleet, nodes)).toEqual({ 'order 1': 'starting', 'ws://fixed': 'running' });
  fleet.started(order, { id: 'a', url: 'ws://a' }, 20);
  nodes.set('ws://a', { connected: false });
  expect(fleet.observe(nodes, 30).connected).toEqual([]);
  expect(phases(fleet, nodes)).toEqual({ a: 'starting', 'ws://fixed': 'running' });
  nodes.set('ws://a', {}, 5);
  expect(fleet.observe(nodes, 40).connected.map(({ id }) => id)).toEqual(['a']);
  expect(fleet.states(nodes, LATER)[0]).toMatchObject({
    region: 'eu',
    phase: 'running',
    since: 40,
    cores: 8,
    transports: 5,
  });
  nodes.set('ws://a', { connected: false, unreachable: true });
  fleet.observe(nodes, 50);
  expect(phases(fleet, nodes)['a']).toBe('unreachable');
  nodes.set('ws://a');
  fleet.observe(nodes, 60);
  // A connection that was away for a while is no new beginning.
  expect(fleet.states(nodes, LATER)[0]).toMatchObject({ phase: 'running', since: 40 });
  nodes.set('ws://a', { connected: false });
  fleet.observe(nodes, 70);
  expect(fleet.states(nodes, LATER)[0]).toMatchObject({ phase: 'lost', since: 70 });
});

test('a drain of somebody else’s is not ended, unless several decide', () => {
  for (const isShared of [false, true]) {
    const [fleet, nodes] = [new Fleet(isShared), new Nodes().set('ws://a', { draining: true })];
    fleet.reconcile([{ id: 'a', url: 'ws://a' }], 0, 0);
    fleet.observe(nodes, 1);
    expect(fleet.states(nodes, LATER)[0]).toMatchObject({ phase: 'draining', retired: !isShared });
    fleet.get('a')!.isDrainedHere = true;
    expect(fleet.states(nodes, LATER)[0]).toMatchObject({ retired: false });
  }
});

test('a server that gets the address of one that is gone takes its place', () => {
  const [fleet, nodes] = [new Fleet(false), new Nodes().set('ws://a')];
  fleet.reconcile([{ id: 'old', url: 'ws://a' }], 0, 0);
  fleet.observe(nodes, 1);
  fleet.started(fleet.order(undefined, 2), { id: 'new', url: 'ws://a' }, 3);
  fleet.observe(nodes, 4);
  expect(phases(fleet, nodes)).toEqual({ old: 'lost', new: 'running' });
  expect(fleet.get('old')!.url).toBeUndefined();
});

test('what is listed, and known to nobody, is found, unless it may be an order that has no id yet', () => {
  const fleet = new Fleet(false);
  const order = fleet.order(undefined, 10);
  const listed = [{ id: 'a', url: 'ws://a' }, { id: 'b' }];
  expect(fleet.reconcile(listed, 20, 21).found).toEqual([]);
  fleet.started(order, { id: 'a', url: 'ws://a' }, 22);
  fleet.order(undefined, 25);
  // It was there before the second order.
  expect(fleet.reconcile(listed, 30, 31).found.map(({ id }) => id)).toEqual(['b']);
  expect(fleet.reconcile([{ id: 'a' }, { id: 'b', url: 'ws://b' }], 40, 41).found).toMatchObject([{ url: 'ws://b' }]);
});

test('what is missing twice is gone, and what was stopped may be listed for a while', () => {
  const fleet = new Fleet(false);
  fleet.reconcile([{ id: 'a' }, { id: 'b' }], 0, 0);
  expect(fleet.stopped('b', 5)).toBe(true);
  expect(fleet.stopped('b', 5)).toBe(false);
  expect(fleet.reconcile([{ id: 'b' }], 10, 10)).toEqual({ found: [], gone: [] });
  expect(fleet.reconcile([{ id: 'b' }], 20, 20).gone.map(({ id }) => id)).toEqual(['a']);
  expect(fleet.reconcile([{ id: 'b' }], 70_000, 70_000).found.map(({ id }) => id)).toEqual(['b']);
});

test('a server that is not connected to, since it is not used, runs, and is not known to be empty', () => {
  const [fleet, nodes] = [new Fleet(false), new Nodes().set('ws://a', { connected: false, dormant: true })];
  fleet.reconcile([{ id: 'a', url: 'ws://a' }], 0, 0);
  fleet.observe(nodes, 1000);
  expect(phases(fleet, nodes)).toEqual({ a: 'running' });
  nodes.set('ws://a', { connected: false, dormant: true, draining: true });
  fleet.observe(nodes, 2000);
  fleet.get('a')!.drained = true;
  expect(fleet.states(nodes, LATER)[0]).toMatchObject({ phase: 'draining', empty: false });
  nodes.set('ws://a', { draining: true });
  fleet.observe(nodes, 3000);
  expect(fleet.states(nodes, 4000)[0]).toMatchObject({ empty: false });
  expect(fleet.states(nodes, 6000)[0]).toMatchObject({ empty: true });
});
