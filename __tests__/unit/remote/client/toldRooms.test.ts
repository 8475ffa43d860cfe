import { beforeEach, expect, test } from '@jest/globals';
import { resolveOptions } from '../../../../src/api/optionsSchema.ts';
import { nodeLimits } from '../../../../src/remote/client/nodeLimits.ts';
import { ToldRooms } from '../../../../src/remote/client/toldRooms.ts';

let rooms: ToldRooms;
let told: string[];

beforeEach(() => {
  rooms = new ToldRooms(resolveOptions('limits', nodeLimits, { mafaldaRouters: 4, objectBytes: 100 }));
  told = [];
  rooms.on('held', id => told.push(`+${id}`)).on('released', id => told.push(`-${id}`));
});

test('a list in parts is known when its last part has come, with what has changed in between', async () => {
  rooms.begin();
  let isKnown = false;
  const known = rooms.known.then(() => (isKnown = true));
  rooms.list(['a', 'b'], true, false);
  rooms.released(['a']);
  rooms.held(['d']);
  await Promise.resolve();
  expect([[...rooms], isKnown]).toEqual([['b', 'd'], false]);
  rooms.list(['c'], false, true);
  await known;
  expect([[...rooms], told]).toEqual([
    ['b', 'd', 'c'],
    ['+a', '+b', '-a', '+d', '+c'],
  ]);
});

test('a later list replaces what was known: what was missed is told as if it had just happened', () => {
  rooms.list(['a', 'b'], true, true);
  told.length = 0;
  // The beginning of a list whose rest is lost counts no more once another one begins.
  rooms.list(['x'], true, false);
  rooms.list(['b', 'c'], true, true);
  expect([[...rooms].sort(), told]).toEqual([
    ['b', 'c'],
    ['+x', '+c', '-a', '-x'],
  ]);
});

test('with the session everything is forgotten, and nobody waits for a list that will not come', async () => {
  rooms.begin();
  rooms.held(['a', 'b']);
  rooms.end();
  await rooms.known;
  expect([rooms.size, told]).toEqual([0, ['+a', '+b', '-a', '-b']]);
});

test.each([
  ['a list without its beginning', () => rooms.list(['a'], false, true), /beginning/],
  ['more than the limit', () => rooms.held(['a', 'b', 'c', 'd', 'e']), /limits.mafaldaRouters/],
  ['longer ids than the limit', () => rooms.held(['a'.repeat(30), 'b'.repeat(30)]), /limits.objectBytes/],
])('%s is refused', (_what, tell, message) => {
  expect(tell).toThrow(message);
});

test('what was released counts no more for the limits', () => {
  for (let round = 0; round < 50; ++round) {
    rooms.held([`${round}`.padStart(20, '0')]);
    rooms.released([`${round}`.padStart(20, '0')]);
  }
  rooms.held(['a', 'b', 'c', 'd']);
  expect(rooms.size).toBe(4);
});

test('an id beyond the limits does not count in the next session', () => {
  for (let session = 0; session < 3; ++session) {
    expect(() => rooms.held(['x'.repeat(60)])).toThrow('limits.objectBytes');
    rooms.end();
  }
  rooms.held(['x'.repeat(40)]);
  expect(rooms.size).toBe(1);
});
