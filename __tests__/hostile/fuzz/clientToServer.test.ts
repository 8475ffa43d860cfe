/** The seeds are fixed; FUZZ_SEEDS=4,5,6 tries others, and `npm run fuzz` goes on for as long as one likes. */
import { test } from '@jest/globals';
import { fuzzServer } from '../../helpers/fuzz/clientToServer.ts';

const seeds = process.env['FUZZ_SEEDS']?.split(',').map(Number) ?? [1, 2, 3];

test.each(seeds)('a server survives what must not be sent, and serves who behaves (seed %i)', seed =>
  fuzzServer(seed, 2000),
);
