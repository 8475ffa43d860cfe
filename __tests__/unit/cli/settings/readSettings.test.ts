import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../../../src/cli/settings/readSettings.ts';
import type { Values } from '../../../../src/cli/settings/setting.ts';
import { serveSettings } from '../../../../src/cli/settings/serveSettings.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'mafalda-settings-'))));
afterAll(() => rm(folder, { recursive: true }));

async function fileWith(content: string, name = 'settings.json'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

interface Given {
  args?: Record<string, string | boolean>;
  env?: NodeJS.ProcessEnv;
  config?: string;
}

function read({ args = {}, env = {}, config }: Given): Promise<Values<typeof serveSettings>> {
  return readSettings(serveSettings, { args, env, config, known: [...Object.keys(serveSettings), 'nodes'] });
}

test('an argument comes before a variable, and that before a file', async () => {
  const config = await fileWith('{ "port": 1, "region": "eu", "drainDeadline": "10m", "labels": { "rack": "a" } }');
  const env = { MAFALDA_PORT: '2', MAFALDA_REGION: 'us', MAFALDA_NODES: 'of another command', PATH: '/bin' };
  const values = await read({ args: { port: '3', open: true }, env, config });
  expect(values).toEqual({ port: 3, region: 'us', drainDeadline: 600_000, labels: { rack: 'a' }, open: true });
});

test('settings of other commands are passed over, in variables and in the file', async () => {
  const config = await fileWith('{ "port": 4443, "nodes": ["wss://media-1.example"] }');
  expect(await read({ config, env: { MAFALDA_NODES: 'wss://media-1.example' } })).toEqual({ port: 4443 });
});

test.each<[string, () => Given | Promise<Given>, RegExp]>([
  ['an argument', () => ({ args: { port: '99999' } }), /^--port: port must be an integer from 0 to 65535; it is 99999/],
  ['a variable', () => ({ env: { MAFALDA_HOST: ' ', MAFALDA_PATH: 'x' } }), /^MAFALDA_PATH: path must be a path that/],
  [
    'a file',
    async () => ({ config: await fileWith('{ "port": "4443" }') }),
    /settings\.json, port: port must be an integer/,
  ],
  [
    'an object in a variable',
    () => ({ env: { MAFALDA_LIMITS: '{"client":1}' } }),
    /^MAFALDA_LIMITS: limits: unknown option client, do you mean clients\?/,
  ],
  ['a secret', () => ({ env: { MAFALDA_METRICS_TOKEN: '' }, args: { metricsToken: '' } }), /it is an empty string$/],
])(
  '%s that the option does not take is refused as the library does it, with its place',
  async (_what, given, message) => {
    await expect(read(await given())).rejects.toThrow(message);
  },
);

test('a variable may name the file', async () => {
  const MAFALDA_CONFIG = await fileWith('{ "port": 4443 }');
  expect(await read({ env: { MAFALDA_CONFIG } })).toEqual({ port: 4443 });
});

test('all three take the same texts', async () => {
  const expected = { mediaPorts: { min: 40000, max: 40015 }, sessionTimeout: 30_000 };
  const config = await fileWith('{ "mediaPorts": "40000-40015", "sessionTimeout": "30s" }');
  expect(await read({ config })).toEqual(expected);
  expect(await read({ env: { MAFALDA_MEDIA_PORTS: '40000-40015', MAFALDA_SESSION_TIMEOUT: '30s' } })).toEqual(expected);
  expect(await read({ args: { mediaPorts: '40000-40015', sessionTimeout: '30000' } })).toEqual(expected);
});

test('a certificate is read from its file, or given itself', async () => {
  const cert = await fileWith('-----BEGIN CERTIFICATE-----', 'cert.pem');
  expect(await read({ args: { cert }, env: { MAFALDA_KEY: '-----BEGIN PRIVATE KEY-----' } })).toEqual({
    cert: '-----BEGIN CERTIFICATE-----',
    key: '-----BEGIN PRIVATE KEY-----',
  });
});

test.each<[string, Given, RegExp]>([
  [
    'an unknown variable',
    { env: { MAFALDA_ANOUNCED_ADDRESS: '' } },
    /MAFALDA_ANOUNCED_ADDRESS, do you mean MAFALDA_ANNOUNCED_ADDRESS\?/,
  ],
  ['a number that is none', { args: { port: 'https' } }, /--port: "https" is no number/],
  [
    'a duration that is none',
    { env: { MAFALDA_SESSION_TIMEOUT: '1 day' } },
    /MAFALDA_SESSION_TIMEOUT: "1 day" is no duration/,
  ],
  ['a range that is none', { args: { mediaPorts: '50000-40000' } }, /--media-ports: "50000-40000" is no range/],
  ['JSON that is none', { args: { limits: '{clients: 1}' } }, /--limits: .* is no JSON/],
  ['a flag that is none', { env: { MAFALDA_OPEN: 'perhaps' } }, /MAFALDA_OPEN: "perhaps" is neither true nor false/],
  ['a file that is not there', { args: { cert: '/nowhere/cert.pem' } }, /--cert: \/nowhere\/cert\.pem can't be read/],
  [
    'a file of settings that is not there',
    { config: '/nowhere/settings.json' },
    /\/nowhere\/settings\.json can't be read/,
  ],
])('%s is refused, with its place', async (_what, given, message) => {
  await expect(read(given)).rejects.toThrow(message);
  await expect(read(given)).rejects.toHaveProperty('name', 'UsageError');
});

test('an unknown setting in a file is refused, with the nearest known one', async () => {
  await expect(read({ config: await fileWith('{ "anouncedAddress": "203.0.113.7" }') })).rejects.toThrow(
    /unknown setting in .*settings\.json: anouncedAddress, do you mean announcedAddress\?/,
  );
  await expect(read({ config: await fileWith('[]') })).rejects.toThrow(/must have an object/);
  await expect(read({ config: await fileWith('{ "sessionTimeout": "soon" }') })).rejects.toThrow(
    /sessionTimeout: "soon" is no duration/,
  );
});
