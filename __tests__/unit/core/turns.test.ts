import { beforeEach, expect, test } from '@jest/globals';
import { Turns } from '../../../src/core/turns.ts';

let now: number;
/** Share of the time in which this process has a processor. */
let share: number;
let later: (() => void)[];
let turns: Turns;

beforeEach(() => {
  now = 0;
  share = 1;
  later = [];
  turns = new Turns(
    () => now,
    run => later.push(run),
    () => now * share,
  );
});

/** Others have had their turn. */
function go(): void {
  for (const run of later.splice(0)) run();
}

test('what takes long is done in turns, in which all who have much to do share the time', () => {
  const done: string[] = [];
  const task = (name: string, steps: number) => (): boolean => {
    now += 1;
    done.push(name);
    return --steps > 0;
  };
  turns.add(task('a', 20));
  turns.add(task('b', 20));
  turns.add(task('c', 1));
  const perTurn: string[] = [];
  while (later.length > 0) {
    go();
    perTurn.push(done.splice(0).join(''));
  }
  expect(perTurn.slice(0, 3)).toEqual(['abcab', 'ababa', 'babab']);
  expect(perTurn.join('').length).toBe(41);
  expect(Math.max(...perTurn.map(({ length }) => length))).toBe(5);
});

test.each([
  ['has a core', 1, 5],
  ['has a quarter of a core', 1 / 4, 20],
  ['has next to nothing of a core', 1 / 100, 25],
])('on a machine where this process %s, work that waits gets as much of it', (_, part, steps) => {
  share = part;
  const turnsOf: number[] = [];
  turns.add(() => {
    now += 1;
    turnsOf[turnsOf.length - 1]! += 1;
    return now < 200;
  });
  for (let turn = 0; turn < 4; ++turn) {
    turnsOf.push(0);
    go();
  }
  // A first turn shows that work is left.
  expect(turnsOf).toEqual([5, steps, steps, steps]);
  while (later.length > 0) go();
});

test('little is done at once, and much later', async () => {
  const seen: number[] = [];
  const act = (thing: number): void => {
    now += 1;
    seen.push(thing);
  };
  await turns.forEach([1, 2, 3], act);
  expect(seen).toEqual([1, 2, 3]);
  const all = turns.forEach([4, 5, 6, 7, 8, 9, 10, 11], act);
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  go();
  expect(seen).toHaveLength(10);
  go();
  await all;
  expect(seen).toHaveLength(11);
});

test('what throws in its turn rejects, and holds up nobody', async () => {
  now = 0;
  expect(turns.hasTime).toBe(true);
  now = 10;
  const failing = turns.forEach([1, 2], () => {
    throw new Error('no');
  });
  let others = 0;
  turns.add(() => ++others < 3);
  go();
  await expect(failing).rejects.toThrow('no');
  expect(others).toBe(3);
});

test('steps that fit into the turn are taken at once, and nothing waits for them', async () => {
  const taken: number[] = [];
  function* steps(count: number): Generator<void, void, undefined> {
    for (let step = 1; step <= count; ++step) {
      now += 1;
      taken.push(step);
      yield;
    }
  }
  expect(turns.begin(steps(3))).toBeUndefined();
  expect(taken).toEqual([1, 2, 3]);
  go();
  const many = turns.begin(steps(7));
  expect(taken).toHaveLength(8);
  go();
  await many;
  expect(taken).toHaveLength(10);
  function* failing(): Generator<void, void, undefined> {
    yield* [];
    throw new Error('no');
  }
  expect(() => turns.begin(failing())).toThrow('no');
});
