/** What the package offers, and what each module says of all that it has created. */
import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import * as mediasoup from 'mediasoup';
import * as autoscale from '../../src/autoscale/index.ts';
import * as root from '../../src/index.ts';
import * as local from '../../src/local/index.ts';
import * as remote from '../../src/remote/index.ts';

const common = [
  'workers',
  'routers',
  'transports',
  'rtpObservers',
  'getResourceUsages',
  'dump',
  'mafaldaRouters',
  'closeAllMafaldaRouters',
];

test.each([
  [
    'mafalda-horizontal',
    root,
    ['default', 'MafaldaHorizontal', 'Mafalda', 'RemoteMafaldaServer', 'RemoteMafaldaClient', 'strategies'],
  ],
  ['mafalda-horizontal/mafalda', local, ['Mafalda']],
  ['mafalda-horizontal/remote', remote, ['RemoteMafaldaServer', 'RemoteMafaldaClient']],
])('%s exports its classes and the common members', (_name, module, classes) => {
  for (const name of [...common, ...classes, 'mafaldaRouterDefaultOptions']) expect(module).toHaveProperty(name);
  expect(Object.isFrozen((module as typeof local).mafaldaRouterDefaultOptions)).toBe(true);
});

test('mafalda-horizontal/autoscale exports the autoscaler and its provisioners, and the root does not', () => {
  const names = ['Autoscaler', 'plan', 'ProcessProvisioner', 'CommandProvisioner', 'HistoryRecorder'];
  expect(Object.keys(autoscale).sort()).toEqual(names.sort());
  for (const name of names) expect(root).not.toHaveProperty(name);
});

test('the default export is MafaldaHorizontal', () => {
  expect(root.default).toBe(root.MafaldaHorizontal);
});

test.each([
  'mafalda-horizontal',
  'mafalda-horizontal/mafalda',
  'mafalda-horizontal/remote',
  'mafalda-horizontal/redis',
  'mafalda-horizontal/swarm',
  'mafalda-horizontal/errors',
  'mafalda-horizontal/metrics',
  'mafalda-horizontal/mediasoup',
  'mafalda-horizontal/autoscale',
])('%s, as built, can be required and imported', name => {
  const script = `
    const required = require(${JSON.stringify(name)});
    import(${JSON.stringify(name)}).then(imported => console.log(Object.keys(imported).every(key => key in required)));
  `;
  const env = { ...process.env, NODE_OPTIONS: '' };
  expect(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', stdio: 'pipe', env }).trim()).toBe('true');
});

test('the package as such loads nothing that only some need', () => {
  const script = `
    require('mafalda-horizontal');
    const isLoaded = () => Object.keys(require.cache).some(file => /node_modules.(@?redis|dht-rpc)/.test(file));
    console.log(isLoaded());
    require('mafalda-horizontal/redis');
    console.log(isLoaded());
  `;
  const env = { ...process.env, NODE_OPTIONS: '' };
  expect(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', stdio: 'pipe', env })).toBe(
    'false\ntrue\n',
  );
});

test('a module shows what all of its instances have created, and the root what all modules have', async () => {
  const mafaldas = [
    new local.Mafalda(mediasoup, { workerBudget: false }),
    new local.Mafalda(mediasoup, { workerBudget: false }),
  ];
  const server = new remote.RemoteMafaldaServer(mafaldas[0]!, { host: '127.0.0.1', auth: false });
  await server.listen();
  const client = new remote.RemoteMafaldaClient(server.url);

  const mafaldaRouters = mafaldas.map(mafalda => mafalda.createMafaldaRouter());
  const transports = await Promise.all(mafaldaRouters.map(mafaldaRouter => mafaldaRouter.createDirectTransport()));
  const mirrored = client.createMafaldaRouter({ id: mafaldaRouters[0]!.id });
  await mirrored.createDirectTransport();

  for (const { id } of transports) expect([local.transports.has(id), root.transports.has(id)]).toEqual([true, true]);
  expect([local.transports.size, remote.transports.size]).toEqual([3, 2]);
  expect(local.mafaldaRouters.get(mirrored.id)).toBe(mafaldaRouters[0]);
  expect(remote.mafaldaRouters.get(mirrored.id)).toBe(mirrored);
  expect(root.mafaldaRouters.size).toBe(2);
  expect(Object.keys(await local.getResourceUsages()).sort()).toEqual([...local.workers.keys()].sort());
  expect(await root.dump()).toHaveLength(3);
  expect(() => (local.transports as Map<string, unknown>).clear()).toThrow(TypeError);

  await root.closeAllMafaldaRouters();
  await client.close();
  await server.close();
  for (const mafalda of mafaldas) await mafalda.close();
  for (const module of [root, local, remote]) {
    expect([module.mafaldaRouters.size, module.transports.size, module.workers.size]).toEqual([0, 0, 0]);
  }
  expect(() => new local.Mafalda(mediasoup, { workers: 2 } as object)).toThrow(TypeError);
  expect(await root.dump()).toEqual([]);
});
