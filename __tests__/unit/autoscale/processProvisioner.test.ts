import { afterEach, expect, test } from '@jest/globals';
import { ProcessProvisioner, type ProcessProvisionerOptions } from '../../../src/autoscale/index.ts';
import { until } from '../../helpers/until.ts';

const provisioners: ProcessProvisioner[] = [];
afterEach(async () => {
  for (const provisioner of provisioners.splice(0))
    for (const { id } of await provisioner.list()) await provisioner.stop(id);
});

function provisionerOf(script: string, options?: ProcessProvisionerOptions): ProcessProvisioner {
  const provisioner = new ProcessProvisioner([process.execPath, '-e', script], options);
  provisioners.push(provisioner);
  return provisioner;
}

function request(region?: string): { signal: AbortSignal; region?: string; fence?: number } {
  return { signal: new AbortController().signal, region, fence: 3 };
}

function isRunning(id: string): boolean {
  try {
    return process.kill(Number(id), 0);
  } catch {
    return false;
  }
}

const serve = `process.send({ url: 'ws://' + process.env.MAFALDA_REGION + process.env.MAFALDA_FENCE + process.env.COLOUR }); setInterval(() => {}, 1e6);`;

test('processes are started, listed and stopped', async () => {
  const provisioner = provisionerOf(serve, { env: { COLOUR: 'blue' } });
  const starting = provisioner.start(request('eu'));
  expect(await provisioner.list()).toEqual([{ id: expect.any(String), region: 'eu' }]);
  const { id, url } = await starting;
  expect(url).toBe('ws://eu3blue');
  expect(await provisioner.list()).toEqual([{ id, url, region: 'eu' }]);
  expect(isRunning(id)).toBe(true);
  await provisioner.stop(id);
  await provisioner.stop(id);
  expect([isRunning(id), await provisioner.list()]).toEqual([false, []]);
});

test('one that ends by itself is no longer listed, and one that does not end is killed', async () => {
  const stubborn = provisionerOf(`process.on('SIGTERM', () => {}); ${serve}`, { stopTimeout: 50 });
  const { id } = await stubborn.start(request());
  await stubborn.stop(id);
  expect(isRunning(id)).toBe(false);
  const mortal = provisionerOf(`${serve} process.once('message', () => {}); setTimeout(() => process.exit(), 1);`);
  await mortal.start(request());
  await until('it has gone', async () => (await mortal.list()).length === 0);
});

test('one that does not say its URL is no server', async () => {
  await expect(provisionerOf('process.exit(3)').start(request())).rejects.toThrow('(exit code 3)');
  await expect(provisionerOf('process.send({}); setInterval(() => {}, 1e6)').start(request())).rejects.toThrow(
    'no url',
  );
  const missing = new ProcessProvisioner(['./no-such-file']);
  await expect(missing.start(request())).rejects.toThrow('ENOENT');
  expect(await missing.list()).toEqual([]);
  const aborter = new AbortController();
  const silent = provisionerOf('setInterval(() => {}, 1e6)');
  const starting = silent.start({ signal: aborter.signal });
  aborter.abort(new Error('enough'));
  await expect(starting).rejects.toThrow('enough');
  expect(await silent.list()).toEqual([]);
});

test('a command that is none is refused', () => {
  expect(() => new ProcessProvisioner('node server.js' as never)).toThrow(TypeError);
  expect(() => provisionerOf('', { stopTimeout: -1 })).toThrow('stopTimeout');
});
