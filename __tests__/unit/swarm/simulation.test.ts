/** The simulation of large swarms, which runs the real code on a network in memory, keeps running: a small one here. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import type { FindingResult } from '../../../bench/swarm/finding.ts';
import type { RushResult } from '../../../bench/swarm/rush.ts';

const root = new URL('../../../', import.meta.url);

test('lookups find while peers come and go, and a rush on one stream is shared', async () => {
  // Its time is that of its whole process.
  const args = ['--disable-warning=ExperimentalWarning', '--import', 'tsx', 'bench/swarm/swarm.ts', 'small'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  const { finding, rush } = JSON.parse(stdout) as { finding: FindingResult; rush: RushResult };
  expect(finding).toMatchObject({ peers: 30, gone: 6, failed: 0, newcomers: 10, lost: 0 });
  expect(finding.lookups).toBeGreaterThan(20);
  expect(finding.hops.mean).toBeGreaterThan(0);
  expect(finding.hops.p99).toBeLessThanOrEqual(3);
  expect(finding.inChurn.storing).toBeGreaterThan(0);
  expect(rush).toMatchObject({ served: 200, forced: 0 });
  expect(rush.depth.max).toBeLessThanOrEqual(4);
  expect(rush.redirects.p99).toBeLessThanOrEqual(3);
});
