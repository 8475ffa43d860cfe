/** The seeds are fixed; FUZZ_SEEDS=4,5,6 tries others, and `npm run fuzz` goes on for as long as one likes. */
import { test } from '@jest/globals';
import { fuzzClient } from '../../helpers/fuzz/serverToClient.ts';

const seeds = process.env['FUZZ_SEEDS']?.split(',').map(Number) ?? [1, 2];

test.each(seeds)('a controller survives what no server should tell, and uses the others (seed %i)', seed =>
  fuzzClient(seed, 3000),
);
