/** A peer uses its own machine while that has room, and others when it has none. */
import { expect, test } from '@jest/globals';
import type { NodeState } from '../../../src/placement/strategies.ts';
import { ownFirst } from '../../../src/swarm/ownFirst.ts';

const node = (id: string, load: number, more: Partial<NodeState> = {}): NodeState => ({
  id,
  load,
  placed: 0,
  hasRouter: false,
  ...more,
});
const request = { mafaldaRouterId: 'room', watermark: 66, seed: 7 };
const chosen = (candidates: NodeState[], wishes: object = {}): string | undefined =>
  ownFirst(candidates, { ...request, ...wishes })?.id;

test('its own machine comes first, however little others have to do', () => {
  expect(chosen([node('wss://a', 0), node('local-1', 65, { local: true })])).toBe('local-1');
});

test('the less loaded of two others takes what its own has no room for', () => {
  const own = node('local-1', 66, { local: true });
  expect(chosen([own, node('wss://a', 30), node('wss://b', 10)])).toBe('wss://b');
});

test('its own takes what nobody has room for', () => {
  expect(chosen([node('local-1', 70, { local: true })])).toBe('local-1');
});

test('a wish for a region, or to be near something, is heeded', () => {
  const own = node('local-1', 0, { local: true, region: 'eu' });
  expect(chosen([own, node('wss://a', 10, { region: 'us' })], { region: 'us' })).toBe('wss://a');
  expect(chosen([own, node('wss://a', 10, { near: 1 })], { near: ['producer'] })).toBe('wss://a');
});
