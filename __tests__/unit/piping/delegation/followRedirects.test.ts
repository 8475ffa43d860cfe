import { describe, expect, test } from '@jest/globals';
import { followRedirects, type Question } from '../../../../src/piping/delegation/followRedirects.ts';
import {
  decide,
  MAX_DEPTH,
  MAX_SHARES,
  type Candidate,
  type Redirect,
} from '../../../../src/piping/delegation/policy.ts';

const candidate = (routerId: string, depth = 1): Candidate => ({ routerId, depth, load: 0 });
const origin = candidate('origin', 0);
const settings = { watermark: 60, loadOf: ({ load }: Candidate) => load };

/** Asks imaginary places, each of which answers as it is given; notes which were asked, and with what. */
function asking(answers: (routerId: string, question: Question) => Redirect | undefined | Error) {
  const asked: string[] = [];
  const ask = async ({ routerId }: Candidate, question: Question): Promise<Redirect | undefined> => {
    asked.push(question.must ? `${routerId}!` : routerId);
    const answer = answers(routerId, question);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { ask, asked };
}

describe('an asker', () => {
  test('takes the first place that serves it', async () => {
    const { ask, asked } = asking(() => undefined);
    expect(await followRedirects(origin, { ...settings, ask })).toEqual({
      source: origin,
      redirects: 0,
      forced: false,
    });
    expect(asked).toEqual(['origin']);
  });

  test('goes where it is sent, and says where it was', async () => {
    const said: unknown[] = [];
    const { ask } = asking((id, question) => {
      said.push([id, question.asked]);
      return id === 'origin' ? { candidates: [candidate('a'), candidate('b')], share: 100 } : undefined;
    });
    const { source, redirects } = await followRedirects(origin, { ...settings, ask });
    expect([source?.routerId, redirects]).toEqual(['a', 1]);
    expect(said).toEqual([
      ['origin', []],
      ['a', ['origin']],
    ]);
  });

  test('goes on from where it was sent last, rather than with what it knows by itself', async () => {
    const { ask, asked } = asking(id =>
      id === 'b' ? undefined : { candidates: [candidate(id === 'origin' ? 'a' : 'b', 2)], share: 100 },
    );
    await followRedirects(origin, { ...settings, others: [candidate('known', 0), candidate('a')], ask });
    expect(asked).toEqual(['origin', 'a', 'b']);
  });

  test('asks the next one if a place can’t be asked, but not for the first', async () => {
    const gone = new Error('gone');
    const failed: unknown[] = [];
    const { ask, asked } = asking(id =>
      id === 'origin' ? { candidates: [candidate('a'), candidate('b')], share: 100 } : id === 'a' ? gone : undefined,
    );
    const onFailed = (of: Candidate, error: unknown): void => void failed.push([of.routerId, error]);
    expect((await followRedirects(origin, { ...settings, ask, onFailed })).source?.routerId).toBe('b');
    expect([asked, failed]).toEqual([['origin', 'a', 'b'], [['a', gone]]]);
    await expect(followRedirects(origin, { ...settings, ask: () => Promise.reject(gone) })).rejects.toBe(gone);
  });

  test('does not ask those that it knows to be gone', async () => {
    const { ask, asked } = asking((_id, { must }) => (must ? undefined : { candidates: [candidate('a')], share: 100 }));
    const loadOf = ({ routerId }: Candidate): number => (routerId === 'a' ? Infinity : 0);
    expect(await followRedirects(origin, { ...settings, loadOf, ask })).toEqual({
      source: origin,
      redirects: 0,
      forced: true,
    });
    expect(asked).toEqual(['origin', 'origin!']);
  });

  test('makes the least used place serve, when all are full', async () => {
    const shares: Record<string, number> = { origin: 300, a: 200, b: 120, c: 150 };
    const below: Record<string, string[]> = { origin: ['a', 'b'], a: ['c'] };
    const { ask, asked } = asking((id, { must }) =>
      must && id !== 'b'
        ? undefined
        : { candidates: (below[id] ?? []).map(each => candidate(each)), share: shares[id]! },
    );
    const followed = await followRedirects(origin, { ...settings, ask });
    expect(asked).toEqual(['origin', 'a', 'c', 'b', 'b!', 'c!']);
    expect(followed).toMatchObject({ source: { routerId: 'c' }, redirects: 3, forced: true });
  });
});

describe('places that lie', () => {
  test.each<[string, (id: string, question: Question) => Redirect]>([
    ['send askers round in circles', id => ({ candidates: [candidate(id === 'a' ? 'b' : 'a')], share: 100 })],
    ['send askers on without end', id => ({ candidates: [candidate(`${id}'`)], share: 100 })],
    [
      'send endless lists of places that have no load',
      id => ({ candidates: Array.from({ length: 100_000 }, (_, index) => candidate(`${id}${index}`)), share: 0 }),
    ],
    ['claim that they serve nobody', () => ({ candidates: [], share: Infinity })],
    ['send askers back to where they were', () => ({ candidates: [origin], share: NaN })],
  ])('%s', async (_how, answer) => {
    const { ask, asked } = asking(answer);
    const { source, redirects } = await followRedirects(origin, { ...settings, ask });
    expect(source).toBeUndefined();
    expect(redirects).toBeLessThanOrEqual(4);
    expect(asked.length).toBeLessThanOrEqual(9);
    const free = asked.filter(id => !id.endsWith('!'));
    expect(new Set(free).size).toBe(free.length);
    // An honest place that the asker knows by itself is asked in the end.
    const known = [candidate('honest')];
    const others = asking((id, question) => (id === 'honest' ? undefined : answer(id, question)));
    const followed = await followRedirects(origin, { ...settings, others: known, ask: others.ask });
    expect(followed.source?.routerId).toBe('honest');
    expect(others.asked.length).toBeLessThanOrEqual(9);
  });
});

test('200 that ask at once share the work, in a flat tree', async () => {
  const fanOut = 8;
  const paths = new Map<string, string[]>([['origin', []]]);
  const served = new Map<string, Map<string, number>>();
  let sent = 0;
  const placeOf = (id: string): Map<string, number> => served.get(id) ?? served.set(id, new Map()).get(id)!;
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, index) => {
      const self = `peer ${index}`;
      return followRedirects(origin, {
        ...settings,
        ask: async ({ routerId }, question) => {
          await Promise.resolve();
          const branches = placeOf(routerId);
          const redirect = decide(
            {
              path: paths.get(routerId)!,
              load: 0,
              watermark: 60,
              pipes: branches.size,
              fanOut,
              branches: [...branches].map(([id, sentAt]) => ({ routerId: id, load: 0, sentAt })),
            },
            { routers: [self], ...question },
          );
          const [next] = redirect?.candidates ?? [];
          if (next) branches.set(next.routerId, ++sent);
          if (redirect) return redirect;
          branches.set(self, 0);
          paths.set(self, [...paths.get(routerId)!, routerId]);
          return undefined;
        },
      });
    }),
  );
  expect(results.filter(({ source }) => !source)).toEqual([]);
  expect(results.filter(({ forced }) => forced)).toEqual([]);
  expect(Math.max(...results.map(({ redirects }) => redirects))).toBeLessThanOrEqual(3);
  expect(Math.max(...[...served.values()].map(({ size }) => size))).toBeLessThanOrEqual(fanOut);
  expect(Math.max(...[...paths.values()].map(({ length }) => length))).toBeLessThanOrEqual(MAX_DEPTH);
  expect(MAX_SHARES).toBeGreaterThan(1);
});
