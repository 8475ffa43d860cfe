import { expect, test } from '@jest/globals';
import { MemoryAccount } from '../../../../src/remote/protocol/memory.ts';
import { ServerTally } from '../../../../src/remote/server/serverTally.ts';
import { SlowClient } from '../../../../src/remote/server/slowClient.ts';
import { BareClient } from '../../../helpers/bareClient.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { DirectSender } from '../../../helpers/directRtp.ts';
import { mediaCodecs } from '../../../helpers/rtp.ts';
import { Served } from '../../../helpers/serve.ts';
import { until } from '../../../helpers/until.ts';

const opened = closingAfterEach();

test.each([
  ['keeps up', { lagMs: 1000, backlog: 0.75, bytes: 25 }, []],
  ['was away, and has little waiting', { lagMs: 9000, backlog: 0.1, bytes: 3 }, []],
  ['lags behind many messages', { lagMs: 1001, backlog: 0.11, bytes: 0 }, ['rtp', 'rtcp']],
  ['lags behind large ones', { lagMs: 1001, backlog: 0, bytes: 4 }, ['rtp', 'rtcp']],
  ['has many messages waiting', { lagMs: 0, backlog: 0.76, bytes: 0 }, ['rtp', 'rtcp', 'message']],
  ['has large ones waiting', { lagMs: 0, backlog: 0, bytes: 26 }, ['rtp', 'rtcp', 'message']],
])('a client that %s does without what it can do without', (_, { bytes, ...session }, leftOut) => {
  const memory = new MemoryAccount(100);
  memory.add(bytes);
  const tally = new ServerTally();
  const slow = new SlowClient(session, memory, tally);
  const events = ['rtp', 'rtcp', 'message', 'score', 'producerclose'];
  expect(events.filter(event => slow.leavesOut(event))).toEqual(leftOut);
  expect(tally.eventsLeftOut).toBe(leftOut.length);
});

test('media waits no longer than it is of use, data waits, and so answers come', async () => {
  const served = opened(await Served.create({ auth: 'secret', limits: { sessionBytes: 1_000_000 } }));
  const mafaldaRouter = served.mafalda.createMafaldaRouter({ id: 'room', routerOptions: { mediaCodecs } });
  const sender = await DirectSender.create(mafaldaRouter, 'audio');
  const dataProducer = await sender.transport.produceData();
  const client = opened(await BareClient.connect(served.url, 'secret'));
  await client.result(0, 'createMafaldaRouter', [{ id: 'room' }]);
  const transport = await client.created('room', 'createDirectTransport');
  const rtpCapabilities = await client.result('room', 'getRtpCapabilities');
  await client.result(transport, 'consume', [{ producerId: sender.producer.id, rtpCapabilities }]);
  await client.result(transport, 'consumeData', [{ dataProducerId: dataProducer.id }]);
  const told = (name: string): number => client.inbox.filter(message => message.name === name).length;
  sender.start();
  await until('it hears media', () => told('rtp') > 0);

  client.deaf = true;
  for (let number = 0; number < 300; ++number) dataProducer.send(String(number));
  const leftOut = (): number => served.server.statistics.eventsLeftOut;
  await until('media is left out', () => leftOut() > 20);
  expect(client.connected).toBe(true);

  client.deaf = false;
  await client.reconnect();
  await expect(client.result(transport, 'getStats')).resolves.toBeDefined();
  await until('all data is there', () => told('message') === 300);
  const kept = told('rtp');
  await until('it hears media again', () => told('rtp') > kept + 20);
  expect(client.gaps).toBe(0);
});
