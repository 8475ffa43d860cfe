import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { MafaldaHorizontal, RemoteMafaldaClient } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { Served } from '../../helpers/serve.ts';

const opened = closingAfterEach();

test('MafaldaRouters of others are listed too, by node, with the clients that are attached', async () => {
  const [a, b] = [opened(await Served.create()), opened(await Served.create())];
  const mafalda = opened(new MafaldaHorizontal([a.url, b.url], { name: 'conference-1' }));
  await once(mafalda, 'connected');
  await mafalda.createMafaldaRouter({ id: 'mine' }).createDirectTransport({ placement: { node: a.url } });
  const other = opened(new RemoteMafaldaClient(b.url, { name: 'recorder' }));
  await other.createMafaldaRouter({ id: 'theirs' }).createDirectTransport();
  b.mafalda.createMafaldaRouter({ id: 'of the server itself' });

  const listed = Object.fromEntries((await mafalda.listMafaldaRouters()).map(({ id, holders }) => [id, holders]));
  expect(listed).toEqual({
    // A Worker, a Router, a Transport.
    mine: [{ node: a.url, clients: ['conference-1'], objects: 3 }],
    theirs: [{ node: b.url, clients: ['recorder'], objects: 3 }],
    'of the server itself': [{ node: b.url, clients: [], objects: 0 }],
  });
  for (const user of [other, b.mafalda])
    expect((await user.listMafaldaRouters()).map(({ id }) => id).sort()).toEqual(['of the server itself', 'theirs']);
});
