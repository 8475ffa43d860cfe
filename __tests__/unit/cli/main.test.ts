/** The command as a process of its own, as built: what it listens on, and how it ends. */
import { afterEach, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RemoteMafaldaClient, type NodeRecord } from '../../../src/index.ts';
import { RedisDirectory } from '../../../src/redis/index.ts';
import { ControlGroup, whyNoControlGroups } from '../../helpers/cgroup.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { RedisServer, whyNoRedis } from '../../helpers/redisServer.ts';
import { httpUrl, scrape } from '../../helpers/http.ts';
import { untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const script = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

class CommandProcess {
  readonly child: ChildProcess;
  output = '';

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [script, ...args], {
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on('data', (text: Buffer) => (this.output += text.toString()));
  }

  async says(pattern: RegExp): Promise<RegExpExecArray> {
    await until(`the command says ${pattern}: ${this.output}`, () => pattern.test(this.output));
    return pattern.exec(this.output)!;
  }

  async exitCode(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

const running: CommandProcess[] = [];
afterEach(() => running.splice(0).forEach(({ child }) => child.kill('SIGKILL')));

function start(args: readonly string[], env?: Record<string, string>): CommandProcess {
  const command = new CommandProcess(args, env);
  running.push(command);
  return command;
}

/** Settings that a server needs on a machine that many use. */
const ownBudget = { MAFALDA_WORKER_BUDGET: 'false', MAFALDA_HOST: '127.0.0.1', MAFALDA_TOKEN: 'secret' };

test('a media server and a central server serve, are drained by a signal, and end', async () => {
  const server = start(['serve'], { ...ownBudget, MAFALDA_METRICS_TOKEN: 'of the operator' });
  const [, url] = await server.says(/media server on (ws:\/\/\S+),/);
  const central = start(['cluster', '--nodes', url!, '--drain-deadline', '100ms'], {
    MAFALDA_HOST: '127.0.0.1',
    MAFALDA_TOKEN: 'secret',
  });
  const [, centralUrl] = await central.says(/central server of 1 nodes on (ws:\/\/\S+)/);
  await central.says(/connected/);
  expect((await fetch(httpUrl(centralUrl!, '/readyz'))).status).toBe(200);

  const client = opened(new RemoteMafaldaClient(centralUrl, { token: 'secret' }));
  await untilConnected(client);
  await client.createMafaldaRouter().createDirectTransport();
  const metrics = await scrape(url!, { authorization: 'Bearer of the operator' });
  expect(metrics.get('mafalda_rooms')).toBe(1);

  central.child.kill('SIGTERM');
  await central.says(/SIGTERM: draining 1 clients/);
  expect(await central.exitCode()).toBe(3);
  expect(central.output).toMatch(/the deadline has passed/);

  // The central server has said goodbye, so nothing is left at the media server.
  server.child.kill('SIGTERM');
  expect(await server.exitCode()).toBe(0);
  expect(server.output).toMatch(/closed/);
});

test('a second signal does not wait, and settings of a module may be functions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mafalda-settings-'));
  opened({ close: () => rm(folder, { recursive: true }) });
  const config = join(folder, 'settings.mjs');
  await writeFile(
    config,
    'export default { host: "127.0.0.1", workerBudget: false, token: shown => shown === "secret" };',
  );
  const server = start(['serve', '--config', config]);
  const [, url] = await server.says(/media server on (ws:\/\/\S+),/);
  const client = opened(new RemoteMafaldaClient(url, { token: 'secret' }));
  await client.createMafaldaRouter().createDirectTransport();
  server.child.kill('SIGINT');
  await server.says(/SIGINT: draining/);
  expect((await fetch(httpUrl(url!, '/readyz'))).status).toBe(503);
  server.child.kill('SIGTERM');
  expect(await server.exitCode()).toBe(1);
});

const noGroups = await whyNoControlGroups();
(noGroups === undefined ? test : test.skip)(
  `with limits of its control group it counts what these give${noGroups === undefined ? '' : `: ${noGroups}`}`,
  async () => {
    const group = opened(await ControlGroup.create({ cores: 1, memory: 1_000_000_000 }));
    const findings = JSON.parse(await group.run(process.execPath, [script, 'doctor', '--json'])) as object[];
    expect(findings).toContainEqual({
      check: 'cores and memory',
      state: expect.any(String) as unknown as string,
      text: expect.stringMatching(/^1 cores, 1\.0 GB, of which \d\.\d GB are free/) as unknown as string,
    });
  },
);

test('a wrong call ends with its code', async () => {
  const command = start(['serve', '--prot', '4443']);
  expect(await command.exitCode()).toBe(2);
  expect(command.output).toMatch(/Did you mean --port\?/);
});

test('a reader of the output that is gone is no error', async () => {
  const command = start(['serve', '--help']);
  command.child.stdout!.destroy();
  expect(await command.exitCode()).toBe(0);
  expect(command.output).toBe('');
});

const reason = whyNoRedis();
(reason === undefined ? test : test.skip)(
  `a media server is in the directory, and says there when it is being drained${reason === undefined ? '' : `: ${reason}`}`,
  async () => {
    const redis = opened(await RedisServer.create());
    const directory = opened(new RedisDirectory(redis.url));
    expect(directory.nodes.size).toBe(0);
    const server = start(['serve', '--redis', redis.url, '--public-url', 'wss://media-1.example'], ownBudget);
    const [, url] = await server.says(/media server on (ws:\/\/\S+),/);
    const client = opened(new RemoteMafaldaClient(url, { token: 'secret' }));
    await client.createMafaldaRouter().createDirectTransport();
    const record = (): NodeRecord | undefined => directory.nodes.get('wss://media-1.example');
    await until('the server is in the directory', () => record()?.draining === false);
    expect((await scrape(url!)).get('mafalda_directory_up')).toBe(1);
    server.child.kill('SIGTERM');
    await until('the directory says that it is being drained', () => record()?.draining === true);
    await client.close();
    expect(await server.exitCode()).toBe(0);
    await until('the server has taken itself out', () => record() === undefined);
  },
);
