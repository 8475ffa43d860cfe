/**
 * A central server of two ends in the middle of 200 calls: nothing that its client has closes, nothing is doubled, no call
 * hangs, no packet is lost. `CENTRAL_ROUNDS=20` tries more moments, and prints what has come of each.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CentralSweep, type Round } from '../helpers/centralSweep.ts';

const rounds = Number(process.env['CENTRAL_ROUNDS'] ?? 3);
const moments = Array.from({ length: rounds }, (_, index) => Math.floor(((index + 0.5) * 200) / rounds));

let sweep: CentralSweep;

beforeAll(async () => {
  sweep = await CentralSweep.create(7);
});

afterAll(() => sweep.close());

function report(round: Round): void {
  if (process.env['CENTRAL_ROUNDS']) process.stdout.write(`${JSON.stringify(round)}\n`);
}

const nothing = { failed: [], wrong: [], closed: [], unclaimed: 0, lostPackets: 0 };

test.each(moments)('a central server is killed at call %i', async at => {
  const round = await sweep.round('SIGKILL', at);
  report(round);
  expect(round).toMatchObject(nothing);
});

test('a central server closes in order: no call is rejected', async () => {
  const round = await sweep.round('SIGTERM', 100);
  report(round);
  expect(round).toMatchObject({ ...nothing, unknown: 0 });
});
