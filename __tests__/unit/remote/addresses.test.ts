/** A caller elsewhere does not know this machine's addresses. */
import { describe, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import type { PipeTransportOptions, TransportListenInfo, WebRtcTransport } from 'mediasoup/types';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type MafaldaRouter,
  type RemoteMafaldaServerOptions,
} from '../../../src/index.ts';
import type { AddressesOptional } from '../../../src/api/types.ts';
import { ownAddress } from '../../../src/core/addresses/ownAddress.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { inside } from '../../helpers/inside.ts';
import { mediaCodecs } from '../../helpers/rtp.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';

const opened = closingAfterEach();
const ANNOUNCED = '203.0.113.7';

async function roomAt(options: Partial<RemoteMafaldaServerOptions>): Promise<MafaldaRouter> {
  const { url } = opened(await Served.create(options));
  const client = opened(new RemoteMafaldaClient(url));
  await untilConnected(client);
  return client.createMafaldaRouter({ routerOptions: { mediaCodecs } });
}

function addressesOf({ iceCandidates }: WebRtcTransport): string[] {
  return [...new Set(iceCandidates.map(({ address }) => address))];
}

describe('a server with an announced address', () => {
  const listenInfos: TransportListenInfo[] = [{ protocol: 'udp', ip: '0.0.0.0' }];

  test.each([
    ['left out', {}],
    ['wildcards', { listenInfos }],
    ['wildcards in the older form', { listenIps: ['0.0.0.0'] }],
  ])('uses it where the addresses are %s', async (_what, options) => {
    const room = await roomAt({ announcedAddress: ANNOUNCED });
    expect(addressesOf(await room.createWebRtcTransport(options))).toEqual([ANNOUNCED]);
  });

  test('uses it for PlainTransports, and for pipes, which choose their own port', async () => {
    const room = await roomAt({ announcedAddress: ANNOUNCED });
    const given: AddressesOptional<PipeTransportOptions>[] = [
      {},
      { listenInfo: listenInfos[0]! },
      { listenIp: '0.0.0.0' },
    ];
    for (const options of given) {
      expect((await room.createPlainTransport(options)).tuple.localAddress).toBe(ANNOUNCED);
      expect((await room.createPipeTransport(options)).tuple.localAddress).toBe(ANNOUNCED);
    }
  });

  test.each([
    ['PlainTransports', (room: MafaldaRouter) => room.createPlainTransport({ listenIp: '::' })],
    ['PipeTransports', (room: MafaldaRouter) => room.createPipeTransport({ listenIp: '::' })],
  ])('of IPv4 leaves alone the IPv6 ones of %s that a caller has chosen', async (_what, create) => {
    const { tuple } = await create(await roomAt({ announcedAddress: ANNOUNCED }));
    expect(tuple.localAddress).toBe('::');
  });

  test('leaves alone what a caller has chosen', async () => {
    const room = await roomAt({ announcedAddress: ANNOUNCED });
    const given = { protocol: 'udp', ip: '0.0.0.0', announcedAddress: '198.51.100.1' } as const;
    expect(addressesOf(await room.createWebRtcTransport({ listenInfos: [given] }))).toEqual(['198.51.100.1']);
    expect(addressesOf(await room.createWebRtcTransport({ listenIps: ['127.0.0.1'] }))).toEqual(['127.0.0.1']);
  });

  test('keeps the port that a caller has chosen', async () => {
    const room = await roomAt({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
    const free = await room.createPlainTransport({});
    const port = free.tuple.localPort;
    free.close();
    const { tuple } = await room.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '0.0.0.0', port } });
    expect([tuple.localAddress, tuple.localPort]).toEqual(['127.0.0.1', port]);
  });
});

test('a server without addresses says what to do where the caller gives none', async () => {
  const room = await roomAt({});
  await expect(room.createWebRtcTransport({})).rejects.toThrow(
    /listenInfos or announcedAddress of RemoteMafaldaServer/,
  );
  await expect(room.createPlainTransport({})).rejects.toThrow(TypeError);
});

test("an address that the server's machine does not have is refused with what to do", async () => {
  const room = await roomAt({});
  await expect(room.createWebRtcTransport({ listenIps: [ANNOUNCED] })).rejects.toThrow(
    /no address of this server: leave the addresses out/,
  );
});

describe('a Mafalda with an announced address', () => {
  test('uses it where the addresses are left to it, as a server does', async () => {
    const mafalda = opened(new Mafalda(mediasoup, { workerBudget: false, announcedAddress: ANNOUNCED }));
    const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    expect(addressesOf(await room.createWebRtcTransport({}))).toEqual([ANNOUNCED]);
    expect(addressesOf(await room.createWebRtcTransport({ listenIps: ['0.0.0.0'] }))).toEqual([ANNOUNCED]);
    expect(addressesOf(await room.createWebRtcTransport({ listenIps: ['127.0.0.1'] }))).toEqual(['127.0.0.1']);
    expect((await room.createPlainTransport({})).tuple.localAddress).toBe(ANNOUNCED);
    expect((await room.createPipeTransport({})).tuple.localAddress).toBe(ANNOUNCED);
  });

  test('has the others’ pipes come there, and its own Workers’ over the loopback address', async () => {
    const mafalda = opened(
      new Mafalda(mediasoup, { workerBudget: false, pipeListenInfo: { protocol: 'udp', ip: '127.0.0.2' } }),
    );
    const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    await room.createDirectTransport();
    const [routerId] = [...room.routers.keys()];
    const open = async (network: boolean): Promise<string> =>
      (await inside(room).openLink({ routerId: routerId!, remoteRouterId: `other ${network}`, link: 'media', network }))
        .ip;
    expect([await open(true), await open(false)]).toEqual(['127.0.0.2', '127.0.0.1']);
  });

  test('is told that two forms of the same make no sense', () => {
    expect(() => new Mafalda(mediasoup, { listenInfos: [], listenIps: [] })).toThrow(TypeError);
  });
});

test('a server of a MafaldaHorizontal has addresses for nodes of its own machine', async () => {
  const locals = [0, 1].map(() => opened(new Mafalda(mediasoup, { workerBudget: false })));
  const server = opened(
    new RemoteMafaldaServer(opened(new MafaldaHorizontal(locals)), {
      host: '127.0.0.1',
      auth: false,
      announcedAddress: ANNOUNCED,
    }),
  );
  await server.listen();
  const client = opened(new RemoteMafaldaClient(server.url));
  const room = client.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  expect(addressesOf(await room.createWebRtcTransport({}))).toEqual([ANNOUNCED]);
});

test.each([
  ['a MafaldaHorizontal with a server', () => new MafaldaHorizontal(['ws://127.0.0.1:9'])],
  ['a RemoteMafaldaClient', () => new RemoteMafaldaClient()],
])('a server of %s can’t have addresses for machines that it does not know', (_what, create) => {
  const mafalda = opened(create());
  for (const options of [
    { announcedAddress: ANNOUNCED },
    { listenInfos: [] },
    { pipeListenInfo: { protocol: 'udp', ip: ANNOUNCED } as const },
  ]) {
    expect(() => new RemoteMafaldaServer(mafalda, { auth: false, ...options })).toThrow(/on other machines/);
  }
});

describe('a wildcard that nobody announces', () => {
  const wildcard: TransportListenInfo = { protocol: 'udp', ip: '0.0.0.0' };
  const own = ownAddress(4);

  test.each([
    [
      'a caller, of a WebRtcTransport',
      async () => addressesOf(await (await roomAt({})).createWebRtcTransport({ listenInfos: [wildcard] })),
    ],
    [
      'a caller, in the older form',
      async () => addressesOf(await (await roomAt({})).createWebRtcTransport({ listenIps: ['0.0.0.0'] })),
    ],
    [
      'the server’s listenInfos',
      async () => addressesOf(await (await roomAt({ listenInfos: [wildcard] })).createWebRtcTransport({})),
    ],
    [
      'webRtcServerOptions',
      async () => {
        const mafalda = opened(
          new Mafalda(mediasoup, {
            workerBudget: false,
            webRtcServerOptions: { listenInfos: [{ ...wildcard, portRange: { min: 43_000, max: 43_999 } }] },
          }),
        );
        return addressesOf(
          await mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } }).createWebRtcTransport({}),
        );
      },
    ],
    [
      'a caller, of a WebRtcServer',
      async () => {
        const client = opened(new RemoteMafaldaClient(opened(await Served.create()).url));
        const worker = await client.mediasoup.createWorker();
        const webRtcServer = await worker.createWebRtcServer({ listenInfos: [wildcard] });
        return addressesOf(await (await worker.createRouter({ mediaCodecs })).createWebRtcTransport({ webRtcServer }));
      },
    ],
  ])('of %s, gives candidates with an address of this machine', async (_what, candidates) => {
    expect(await candidates()).toEqual([own]);
  });

  test('of a caller’s WebRtcServer, gives those with the server’s address, if it has one', async () => {
    const client = opened(new RemoteMafaldaClient(opened(await Served.create({ announcedAddress: ANNOUNCED })).url));
    const worker = await client.mediasoup.createWorker();
    const webRtcServer = await worker.createWebRtcServer({ listenInfos: [wildcard] });
    expect(
      addressesOf(await (await worker.createRouter({ mediaCodecs })).createWebRtcTransport({ webRtcServer })),
    ).toEqual([ANNOUNCED]);
  });
});

test.each([
  ['announces', { ip: '0.0.0.0', announcedAddress: ANNOUNCED }, ANNOUNCED],
  ['listens on', { ip: '127.0.0.2' }, '127.0.0.2'],
  ['has, if it listens on all,', { ip: '0.0.0.0' }, ownAddress(4)],
])('pipes come to the address that a server with webRtcServerOptions only %s', async (_what, info, expected) => {
  // The range is small, so that a port that mediasoup takes from its own, which is large, is hardly ever in it.
  const portRange = { min: 43_000, max: 43_004 };
  const webRtcServerOptions = { listenInfos: [{ protocol: 'udp' as const, portRange, ...info }] };
  const mafalda = opened(new Mafalda(mediasoup, { workerBudget: false, webRtcServerOptions }));
  const server = opened(new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false }));
  await server.listen();
  const client = opened(new RemoteMafaldaClient(server.url));
  const room = client.createMafaldaRouter();
  await room.createDirectTransport();
  const [routerId] = [...room.routers.keys()];
  const { ip, port } = await inside(room).openLink({
    routerId: routerId!,
    remoteRouterId: 'other',
    link: 'media',
    network: true,
  });
  expect([ip, port >= portRange.min && port <= portRange.max]).toEqual([expected, false]);
});

describe('a WebRtcServer', () => {
  test('has all WebRtcTransports on its ports, one port for each Worker', async () => {
    const portRange = { min: 41_000, max: 41_999 };
    const mafalda = opened(
      new Mafalda(mediasoup, {
        workerBudget: false,
        webRtcServerOptions: { listenInfos: [{ protocol: 'udp', ip: '127.0.0.1', portRange }] },
      }),
    );
    const server = opened(
      new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false, announcedAddress: ANNOUNCED }),
    );
    await server.listen();
    const client = opened(new RemoteMafaldaClient(server.url));
    await untilConnected(client);
    const room = client.createMafaldaRouter({ routerOptions: { mediaCodecs }, maxWorkers: 1 });
    const transports = await Promise.all(Array.from({ length: 3 }, () => room.createWebRtcTransport({})));
    expect(transports.map(addressesOf)).toEqual([['127.0.0.1'], ['127.0.0.1'], ['127.0.0.1']]);
    const ports = new Set(transports.flatMap(({ iceCandidates }) => iceCandidates.map(({ port }) => port)));
    expect(ports.size).toBe(room.workers.size);
    for (const port of ports) expect(port).toBeGreaterThanOrEqual(portRange.min);
    // Who gives addresses gets a Transport of its own.
    const own = await room.createWebRtcTransport({ listenIps: ['127.0.0.1'] });
    expect(ports.has(own.iceCandidates[0]!.port)).toBe(false);
  });

  test('of which there are fewer than Workers, since there are fewer ports, serves all nevertheless', async () => {
    const free = await opened(new Mafalda(mediasoup, { workerBudget: false }))
      .createMafaldaRouter({ routerOptions: { mediaCodecs } })
      .createPlainTransport({ listenIp: '127.0.0.1' });
    const port = free.tuple.localPort;
    free.close();
    const listenInfos: TransportListenInfo[] = [{ protocol: 'udp', ip: '127.0.0.1', port }];
    const mafalda = opened(new Mafalda(mediasoup, { workerBudget: false, webRtcServerOptions: { listenInfos } }));
    // Each Worker is full from the beginning.
    const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs }, watermarkWorker: 0 });
    const transports = await Promise.all(Array.from({ length: 4 }, () => room.createWebRtcTransport({})));
    transports.push(await room.createWebRtcTransport({}));
    expect(transports.map(({ iceCandidates }) => iceCandidates.map(candidate => candidate.port))).toEqual(
      transports.map(() => [port]),
    );
  });

  test('whose ports are taken makes the call fail, and the next one succeed when they are free', async () => {
    const blocker = opened(new Mafalda(mediasoup, { workerBudget: false }));
    const blocking = await blocker
      .createMafaldaRouter({ routerOptions: { mediaCodecs } })
      .createPlainTransport({ listenIp: '127.0.0.1' });
    const listenInfo: TransportListenInfo = { protocol: 'udp', ip: '127.0.0.1', port: blocking.tuple.localPort };
    const mafalda = opened(
      new Mafalda(mediasoup, { workerBudget: false, webRtcServerOptions: { listenInfos: [listenInfo] } }),
    );
    const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    await expect(room.createWebRtcTransport({})).rejects.toThrow(/address already in use/);
    blocking.close();
    // Closing is a message to the Worker, which answers the next one when it has done so.
    await [...blocker.routers.values()][0]!.dump();
    const transport = await room.createWebRtcTransport({});
    expect(transport.iceCandidates.map(({ port }) => port)).toEqual([listenInfo.port]);
  });
});
