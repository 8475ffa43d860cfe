import { expect, test } from '@jest/globals';
import { Rest } from '../../../src/horizontal/rest.ts';

/** More than any first rest, and less than the next one but two. */
const FIRST_REST_MS = 1500;

function create(): { rest: Rest; sleep: (ms: number) => void } {
  let now = 0;
  return { rest: new Rest(() => now), sleep: ms => void (now += ms) };
}

test('a node that fails rests, gets one call, and all of them when that has succeeded', () => {
  const { rest, sleep } = create();
  expect([rest.begin()(true), rest.resting]).toEqual([undefined, false]);
  expect([rest.begin()(false), rest.resting]).toEqual(['failing', true]);
  sleep(FIRST_REST_MS);
  expect(rest.resting).toBe(false);
  const learn = rest.begin();
  expect(rest.resting).toBe(true);
  expect([learn(true), rest.resting]).toEqual(['well', false]);
});

test('each failure after a rest makes the next one longer, up to a limit', () => {
  const { rest, sleep } = create();
  const rests: number[] = [];
  for (let failure = 0; failure < 12; ++failure) {
    expect(rest.begin()(false)).toBe(failure === 0 ? 'failing' : 'still failing');
    let slept = 0;
    for (; rest.resting; slept += 100) sleep(100);
    rests.push(slept);
  }
  // Each is due twice the one before, give or take a half.
  expect(rests[4]!).toBeGreaterThan(rests[0]!);
  expect(Math.max(...rests)).toBeLessThanOrEqual(90_000);
});

test('calls of one burst that fail count once, and what succeeds of them proves nothing', () => {
  const { rest, sleep } = create();
  const burst = Array.from({ length: 10 }, () => rest.begin());
  const last = burst.pop()!;
  expect(burst.map(learn => learn(false))).toEqual(['failing', ...Array.from({ length: 8 }, () => undefined)]);
  expect([last(true), rest.resting]).toEqual([undefined, true]);
  sleep(FIRST_REST_MS);
  expect(rest.resting).toBe(false);
});

test('a trial that tells nothing is followed by another one', () => {
  const { rest, sleep } = create();
  rest.begin()(false);
  sleep(FIRST_REST_MS);
  const learn = rest.begin();
  expect([learn(undefined), rest.resting]).toEqual([undefined, false]);
  expect(rest.begin()(true)).toBe('well');
});

test('another server there ends the rest', () => {
  const { rest } = create();
  const before = rest.begin();
  rest.begin()(false);
  expect([rest.end(), rest.resting, before(false), rest.resting]).toEqual(['well', false, undefined, false]);
});
