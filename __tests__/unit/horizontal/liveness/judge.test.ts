import { expect, test } from '@jest/globals';
import { judge, type Signs, type Verdict } from '../../../../src/horizontal/liveness/judge.ts';

const node: Signs = { silentFor: 3000, nobodyListens: false, provenFor: Infinity };
const well = { timeout: 3000, heardOther: 400, isReturning: false };
const away = { ...well, heardOther: 2700 };

test.each<[string, Verdict, Partial<Signs>, Partial<typeof well>]>([
  ['has just been heard', 'heard', { silentFor: 1400 }, {}],
  ['is silent for half of the time', 'doubtful', { silentFor: 1500 }, {}],
  ['is silent, while others answer', 'dead', {}, {}],
  ['is silent as all others are', 'unreachable', {}, away],
  ['is silent, and there is no other', 'unreachable', {}, { heardOther: Infinity }],
  ['is silent, and others get packets from it', 'unreachable', { provenFor: 200 }, {}],
  ['is silent, and others have got none for long', 'dead', { provenFor: 3000 }, {}],
  ['is gone by what its machine says', 'dead', { nobodyListens: true }, away],
  [
    'is gone by what its machine says, whatever still comes from it',
    'dead',
    { nobodyListens: true, provenFor: 200 },
    {},
  ],
  [
    'is gone by what its machine says, but not for long enough',
    'doubtful',
    { silentFor: 2900, nobodyListens: true },
    {},
  ],
  ['has not come back yet, as others have', 'unreachable', { silentFor: 9000 }, { isReturning: true }],
  ['is silent, and of the others one is as well', 'dead', {}, { heardOther: 800 }],
])('a node that %s is %s', (_what, verdict, signs, circumstances) => {
  expect(judge({ ...node, ...signs }, { ...well, ...circumstances })).toBe(verdict);
});
