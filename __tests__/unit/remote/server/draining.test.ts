/** A server that its operator takes out of use, with real controllers of it. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { MafaldaHorizontal, NodeDrainingError, RemoteMafaldaClient } from '../../../../src/index.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { Served, untilConnected } from '../../../helpers/serve.ts';

const opened = closingAfterEach();

test('all controllers of a server that is drained use other servers, and what is there goes on', async () => {
  const [a, b] = [opened(await Served.create()), opened(await Served.create())];
  const controllers = [1, 2].map(() => opened(new MafaldaHorizontal([a.url, b.url])));
  await Promise.all(controllers.map(controller => once(controller, 'connected')));
  const rooms = controllers.map(controller => controller.createMafaldaRouter({ id: 'room' }));
  const staying = await rooms[0]!.createDirectTransport({ placement: { node: a.url } });

  const told = Promise.all(controllers.map(controller => once(controller, 'nodedraining')));
  const drained = a.server.drain();
  for (const [node] of await told) expect((node as RemoteMafaldaClient).url).toBe(a.url);
  await Promise.all(rooms.flatMap(room => [room.createDirectTransport(), room.createDirectTransport()]));
  expect([a.mafalda.transports.size, b.mafalda.transports.size]).toEqual([1, 4]);
  await expect(rooms[1]!.createDirectTransport({ placement: { node: a.url } })).rejects.toThrow(NodeDrainingError);

  // Draining belongs to the operator: a controller's own add() does not end it.
  controllers[0]!.add(a.url);
  expect((await controllers[0]!.dump()).nodes).toMatchObject([{ draining: true }, { draining: false }]);
  expect(staying.closed).toBe(false);
  staying.close();
  expect(await drained).toMatchObject({ objects: 0 });
});

test('a client may drain its server, and take it into use again', async () => {
  const served = opened(await Served.create());
  const [client, other] = [1, 2].map(() => opened(new RemoteMafaldaClient(served.url))) as [
    RemoteMafaldaClient,
    RemoteMafaldaClient,
  ];
  await Promise.all([client, other].map(untilConnected));
  const room = client.createMafaldaRouter({ id: 'room' });
  await room.createDirectTransport();
  await client.drain();
  expect(served.server.draining).toBe(true);
  await once(other, 'load');
  expect([client.draining, other.draining]).toEqual([true, true]);
  await expect(room.createDirectTransport()).rejects.toThrow(NodeDrainingError);
  await expect(other.createMafaldaRouter({ id: 'room' }).createDirectTransport()).rejects.toThrow(NodeDrainingError);
  await expect(client.mediasoup.createWorker()).rejects.toThrow(NodeDrainingError);
  await client.undrain();
  await room.createDirectTransport();
  expect(served.server.draining).toBe(false);
});

test('a server answers for what is left at the deadline, when it is used again, and when it closes', async () => {
  const served = opened(await Served.create());
  const client = opened(new RemoteMafaldaClient(served.url));
  await client.createMafaldaRouter().createDirectTransport();
  expect(await served.server.drain({ deadline: 0 })).toMatchObject({ clients: 1, mafaldaRouters: 1 });
  const waiting = served.server.drain();
  served.server.undrain();
  expect((await waiting).objects).toBeGreaterThan(0);
  const closing = served.server.drain({ deadline: 60_000 });
  await served.server.close();
  await closing;
  await expect(served.server.drain({ deadline: -1 })).rejects.toThrow(/deadline/);
  await expect(served.server.drain({ until: 5 } as object)).rejects.toThrow(/unknown option until/);
});
