/** A client that follows which rooms a server holds knows them also when it has missed messages. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { RemoteMafaldaClient, type RemoteMafaldaServerOptions } from '../../../src/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

async function absentFollower(options: Partial<RemoteMafaldaServerOptions>): Promise<{
  served: Served;
  client: RemoteMafaldaClient;
  comeBack: () => Promise<void>;
}> {
  const served = opened(await Served.create(options));
  await served.mafalda.createMafaldaRouter({ id: 'before' }).createDirectTransport();
  await served.mafalda.createMafaldaRouter({ id: 'closed meanwhile' }).createDirectTransport();
  const proxy = opened(await CutProxy.create(served.url));
  const client = opened(new RemoteMafaldaClient(proxy.url));
  const { heldRooms } = client;
  await untilConnected(client);
  await heldRooms.known;
  expect([...heldRooms]).toEqual(['before', 'closed meanwhile']);
  const disconnected = once(client, 'disconnected');
  proxy.blocked = true;
  proxy.cut();
  await disconnected;
  await served.mafalda.mafaldaRouters.get('closed meanwhile')!.close();
  const comeBack = async (): Promise<void> => {
    const connected = once(client, 'connected');
    proxy.blocked = false;
    await connected;
  };
  return { served, client, comeBack };
}

test('after a reconnection it hears what has changed, once', async () => {
  const { served, client, comeBack } = await absentFollower({ sessionTimeout: 60_000 });
  const told: string[] = [];
  client.heldRooms.on('held', id => told.push(`+${id}`)).on('released', id => told.push(`-${id}`));
  await served.mafalda.createMafaldaRouter({ id: 'later' }).createDirectTransport();
  expect(client.heldRooms.has('later')).toBe(false);
  await comeBack();
  await until('it knows', () => told.length === 2);
  expect(told.sort()).toEqual(['+later', '-closed meanwhile']);
});

test('after it has missed more than can be kept, it gets a list', async () => {
  const { served, client, comeBack } = await absentFollower({
    sessionTimeout: 60_000,
    limits: { sessionBytes: 100_000 },
  });
  const ids = Array.from({ length: 60 }, (_, index) => `${index}`.padStart(1900, '0'));
  for (const id of ids) await served.mafalda.createMafaldaRouter({ id }).createDirectTransport();
  await comeBack();
  await until('it knows all', () => ids.every(id => client.heldRooms.has(id)));
  expect([...client.heldRooms].sort()).toEqual([...ids, 'before'].sort());
});

test('in a new session it begins anew, and with the old one everything is forgotten', async () => {
  const { served, client, comeBack } = await absentFollower({ sessionTimeout: 200 });
  const lost = once(client, 'lost');
  await lost;
  await until('nothing is known', () => client.heldRooms.size === 0);
  await served.mafalda.createMafaldaRouter({ id: 'later' }).createDirectTransport();
  await comeBack();
  await until('it knows', () => client.heldRooms.has('later'));
  expect([...client.heldRooms].sort()).toEqual(['before', 'later']);
});
