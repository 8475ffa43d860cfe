/** Where a server sends at its clients' word. */
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { UnsupportedError } from 'mediasoup/errors';
import { MafaldaHorizontal, RemoteMafaldaClient, type PlainTarget } from '../../../../src/index.ts';
import { resolveOptions } from '../../../../src/api/optionsSchema.ts';
import { plainTargets, Targets } from '../../../../src/remote/server/targets.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { mediaCodecs } from '../../../helpers/rtp.ts';
import { Served } from '../../../helpers/serve.ts';
import { until } from '../../../helpers/until.ts';

const opened = closingAfterEach();

describe('targets', () => {
  const targets = new Targets([
    { address: '10.1.0.0/16', ports: { min: 5000, max: 5009 } },
    { address: '192.0.2.7' },
    { address: '2001:db8::/32' },
  ]);
  const connect =
    (options: object, className: 'PlainTransport' | 'PipeTransport' | 'WebRtcTransport' = 'PlainTransport') =>
    () =>
      targets.check('connect', className, [options]);

  test.each([
    { ip: '10.1.2.3', port: 5000 },
    { ip: '10.1.2.3', port: 5008, rtcpPort: 5009 },
    { ip: '192.0.2.7', port: 1 },
    { ip: '2001:db8:1::1', port: 9 },
    {},
  ])('let pass %p', options => {
    expect(connect(options)).not.toThrow();
    expect(connect(options, 'PipeTransport')).not.toThrow();
  });

  test.each([
    { ip: '10.2.2.3', port: 5000 },
    { ip: '10.1.2.3', port: 5010 },
    { ip: '10.1.2.3', port: 5009, rtcpPort: 5010 },
    { ip: 'localhost', port: 5000 },
    { ip: '::ffff:192.0.2.8', port: 5000 },
    { ip: 42, port: 5000 },
    { ip: '192.0.2.7', port: '5000' },
  ])('refuse %p', options => {
    expect(connect(options)).toThrow(UnsupportedError);
    expect(connect(options, 'PipeTransport')).toThrow(/not listed it in plainTargets/);
    // It sends to those only who agree.
    expect(connect(options, 'WebRtcTransport')).not.toThrow();
  });

  test.each([
    ['a name', [{ address: 'localhost' }]],
    ['too long a prefix', [{ address: '10.0.0.0/33' }]],
    ['no prefix', [{ address: '10.0.0.0/' }]],
    ['no range', [{ address: '10.0.0.0', ports: { min: 2, max: 1 } }]],
    ['another member', [{ address: '10.0.0.0', port: 5 }]],
    ['no list', { address: '10.0.0.0' }],
  ])('are not made of %s', (_what, wrong) => {
    expect(() => resolveOptions('Thing', plainTargets, wrong as unknown as PlainTarget[])).toThrow(TypeError);
  });
});

test('a server sends only where its operator lets it, by whichever way a client asks, and pipes to the servers that are listed', async () => {
  const plainTargets = [{ address: '127.0.0.1', ports: { min: 10_000, max: 65_535 } }];
  const servers = [opened(await Served.create({ plainTargets })), opened(await Served.create({ plainTargets }))];
  const client = opened(new RemoteMafaldaClient(servers[0]!.url));
  const room = client.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const plain = await room.createPlainTransport({ listenIp: '127.0.0.1', rtcpMux: false });
  await expect(plain.connect({ ip: '127.0.0.1', port: 53, rtcpPort: 10_001 })).rejects.toThrow(UnsupportedError);
  await expect(plain.connect({ ip: '192.0.2.1', port: 10_000, rtcpPort: 10_001 })).rejects.toThrow(/plainTargets/);
  await plain.connect({ ip: '127.0.0.1', port: 10_000, rtcpPort: 10_001 });
  const pipe = await room.createPipeTransport({ listenIp: '127.0.0.1' });
  await expect(pipe.connect({ ip: '127.0.0.1', port: 53 })).rejects.toThrow(UnsupportedError);
  await expect(room.createPlainTransport({ listenIp: '127.0.0.1', comedia: true })).rejects.toThrow(/comedia/);
  const [worker] = [await client.mediasoup.createWorker()];
  const own = await (await worker.createRouter()).createPlainTransport({ listenIp: '127.0.0.1', rtcpMux: false });
  await expect(own.connect({ ip: '127.0.0.1', port: 53, rtcpPort: 10_001 })).rejects.toThrow(UnsupportedError);

  const mafalda = opened(new MafaldaHorizontal(servers.map(({ url }) => url)));
  await once(mafalda, 'connected');
  const both = mafalda.createMafaldaRouter();
  const [source, sink] = await Promise.all(
    servers.map(({ url: node }) => both.createDirectTransport({ placement: { node } })),
  );
  const producer = await source!.produceData();
  const consumer = await sink!.consumeData({ dataProducerId: producer.id });
  let received = 0;
  consumer.on('message', () => ++received);
  producer.send('hello');
  await until('it arrives', () => received > 0);
});

test('a server that is not listed gets no pipes', async () => {
  const servers = [opened(await Served.create({ plainTargets: [] })), opened(await Served.create())];
  const mafalda = opened(new MafaldaHorizontal(servers.map(({ url }) => url)));
  await once(mafalda, 'connected');
  const room = mafalda.createMafaldaRouter();
  const [source, sink] = await Promise.all(
    servers.map(({ url: node }) => room.createDirectTransport({ placement: { node } })),
  );
  const producer = await source!.produceData();
  await expect(sink!.consumeData({ dataProducerId: producer.id })).rejects.toThrow(/plainTargets/);
});
