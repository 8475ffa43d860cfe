/** Calls that nobody waits for, of every method there is, on nodes in every state: none of them ends the application's process. */
import { expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkerBudgetOptions } from '../../src/index.ts';
import { CutProxy } from '../helpers/cutProxy.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';
import { ServerProcess } from '../helpers/serverProcess.ts';
import { until } from '../helpers/until.ts';
import type { CarelessAnswer, CarelessSetup } from '../helpers/processes/careless.ts';

const opened = closingAfterEach();
const CALL_TIMEOUT_MS = 2000;

interface Nodes {
  servers: ServerProcess[];
  proxies: CutProxy[];
}

interface State {
  what: string;
  /** @param port that is taken */
  setups?: (folder: string, port: number) => ServerSetup[];
  change: (nodes: Nodes) => unknown;
  /** Errors that the application is told of before it calls. */
  tells?: string[];
}

type ServerSetup = NonNullable<Parameters<typeof ServerProcess.create>[0]>;

/** Limits of all clients together, of which the application has two: enough to make one of everything, and not much more. */
const limits = { workers: 2, objects: 120 };

const states: State[] = [
  { what: 'that work', change: () => undefined },
  { what: 'of which one is frozen', change: ({ servers }) => servers[0]!.signal('SIGSTOP') },
  { what: 'that are frozen', change: ({ servers }) => servers.forEach(server => server.signal('SIGSTOP')) },
  { what: 'that are gone', change: ({ servers }) => Promise.all(servers.map(server => server.close())) },
  { what: 'that are cut off', change: ({ proxies }) => Promise.all(proxies.map(proxy => proxy.close())) },
  {
    what: 'that start again, and do not let it in any more',
    change: ({ servers }) =>
      Promise.all(
        servers.map(async server => {
          await server.close();
          opened(await ServerProcess.create({ port: Number(new URL(server.url).port), auth: 'another token' }));
        }),
      ),
    tells: ['RefusedError'],
  },
  {
    what: 'that refuse to create: one may start no Worker, the other one has no port, and no more than it was asked for',
    setups: (folder, port) => [
      { limits, listenInfos: [{ protocol: 'udp', ip: '127.0.0.1', portRange: { min: port, max: port } }] },
      { workerBudget: { max: 1, file: join(folder, 'budget') }, limits },
    ],
    change: () => undefined,
    tells: ['WorkerBudgetError'],
  },
];

test.each(states)(
  'an application that waits for nothing lives on, on nodes $what, and when all is closed',
  async ({ setups, change, tells = [] }) => {
    const folder = await mkdtemp(join(tmpdir(), 'mafalda-careless-'));
    opened({ close: () => rm(folder, { recursive: true }) });
    const taken = opened(createSocket('udp4'));
    taken.bind(0, '127.0.0.1');
    await once(taken, 'listening');
    const [one, other] = setups?.(folder, taken.address().port) ?? [];
    const servers = await Promise.all(
      [one, other].map(async setup => opened(await ServerProcess.create({ sessionTimeout: 2000, ...setup }))),
    );
    if (other?.workerBudget) await useUp(other.workerBudget);
    const proxies = await Promise.all(servers.map(async ({ url }) => opened(await CutProxy.create(url))));
    const setup: CarelessSetup = { urls: proxies.map(({ url }) => url), callTimeout: CALL_TIMEOUT_MS };
    const script = fileURLToPath(new URL('../helpers/processes/careless.ts', import.meta.url));
    const child = fork(script, [JSON.stringify(setup)], {
      execArgv: ['--unhandled-rejections=strict', '--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    opened({ close: () => child.kill('SIGKILL') });
    let errors = '';
    child.stderr!.on('data', data => (errors += String(data)));
    const exited = once(child, 'exit');
    const said = async <T>(): Promise<T> => {
      const ended = exited.then(([code]) => Promise.reject(new Error(`it ended with ${String(code)}: ${errors}`)));
      return ((await Promise.race([once(child, 'message'), ended])) as [T])[0];
    };
    await said();
    await change({ servers, proxies });
    await until('the application has been told', async () => {
      child.send('told?');
      const { told } = await said<CarelessAnswer>();
      return tells.every(name => told.includes(name));
    });
    // The second time everything is closed.
    for (let round = 1; round <= 2; ++round) {
      child.send('call');
      expect((await said<CarelessAnswer>()).promises).toBeGreaterThan(50);
      // Until the last of them has failed for want of an answer.
      await Promise.race([new Promise(resolve => setTimeout(resolve, 2 * CALL_TIMEOUT_MS)), exited]);
    }
    expect([child.exitCode, errors]).toEqual([null, '']);
    child.disconnect();
    expect((await exited)[0]).toBe(0);
  },
);

/** Another process has all Workers of the budget. */
async function useUp({ max, file }: WorkerBudgetOptions): Promise<void> {
  const script = fileURLToPath(new URL('../helpers/budgetHolder.ts', import.meta.url));
  const holder = fork(script, [file!, String(max), String(max)], { execArgv: ['--import', 'tsx'] });
  opened({ close: () => holder.kill() });
  await once(holder, 'message');
}
