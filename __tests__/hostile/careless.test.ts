/** Calls that nobody waits for, of every method there is, on nodes in every state: none of them ends the application's process. */
import { expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CutProxy } from '../helpers/cutProxy.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';
import { ServerProcess } from '../helpers/serverProcess.ts';
import type { CarelessSetup } from '../helpers/processes/careless.ts';

const opened = closingAfterEach();
const CALL_TIMEOUT_MS = 800;

interface Nodes {
  servers: ServerProcess[];
  proxies: CutProxy[];
}

const states: [string, (nodes: Nodes) => unknown][] = [
  ['that work', () => undefined],
  ['of which one is frozen', ({ servers }) => servers[0]!.signal('SIGSTOP')],
  ['that are frozen', ({ servers }) => servers.forEach(server => server.signal('SIGSTOP'))],
  ['that are gone', ({ servers }) => Promise.all(servers.map(server => server.close()))],
  ['that are cut off', ({ proxies }) => Promise.all(proxies.map(proxy => proxy.close()))],
];

test.each(states)('an application that waits for nothing lives on, on nodes %s, and when all is closed', async (_what, change) => {
  const servers = await Promise.all([0, 1].map(async () => opened(await ServerProcess.create({ sessionTimeout: 2000 }))));
  const proxies = await Promise.all(servers.map(async ({ url }) => opened(await CutProxy.create(url))));
  const setup: CarelessSetup = { urls: proxies.map(({ url }) => url), callTimeout: CALL_TIMEOUT_MS };
  const script = fileURLToPath(new URL('../helpers/processes/careless.ts', import.meta.url));
  const child = fork(script, [JSON.stringify(setup)], { execArgv: ['--unhandled-rejections=strict', '--import', 'tsx'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let errors = '';
  child.stderr!.on('data', data => (errors += String(data)));
  const exited = once(child, 'exit');
  const said = async <T>(): Promise<T> => {
    const ended = exited.then(([code]) => Promise.reject(new Error(`it ended with ${String(code)}: ${errors}`)));
    return ((await Promise.race([once(child, 'message'), ended])) as [T])[0];
  };
  await said();
  await change({ servers, proxies });
  // The second time everything is closed.
  for (let round = 1; round <= 2; ++round) {
    child.send('call');
    const { promises } = await said<{ promises: number }>();
    expect(promises).toBeGreaterThan(50);
    // Until the last of them has failed for want of an answer.
    await Promise.race([new Promise(resolve => setTimeout(resolve, 2 * CALL_TIMEOUT_MS)), exited]);
  }
  expect([child.exitCode, errors]).toEqual([null, '']);
  child.disconnect();
  expect((await exited)[0]).toBe(0);
});
