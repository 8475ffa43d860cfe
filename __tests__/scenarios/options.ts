/** Options of what an application creates, and its own data there: the same on every implementation. */
import { EventEmitter } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AppData, PipeTransport, TransportListenInfo } from 'mediasoup/types';
import type { MafaldaRouter } from '../../src/index.ts';
import { mediaCodecs, opus } from '../helpers/rtp.ts';
import { createInEveryPlace } from '../helpers/spread.ts';
import type { System } from '../helpers/systems.ts';
import { until } from '../helpers/until.ts';

const listenInfos: readonly TransportListenInfo[] = [{ protocol: 'udp', ip: '127.0.0.1' }];

/** As conference servers have them: with a socket, and in a circle. */
class Peer {
  readonly id = 'peer 1';
  readonly socket = new EventEmitter();
  readonly transports = new Map([['send', {}]]);
  readonly notify = (): void => undefined;
  room: { peers: Peer[]; name: string } | undefined;
}

export function describeOptions(name: string, createSystem: () => Promise<System>): void {
  describe(`${name}: options`, () => {
    let system: System;
    let room: MafaldaRouter;

    beforeAll(async () => {
      system = await createSystem();
      room = system.mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
    });

    afterAll(async () => {
      await room.close();
      expect(await system.close()).toEqual([]);
    });

    test('a placement that there is no choice for is ignored, and one that is none is refused', async () => {
      const placement = { region: 'nowhere', near: ['nobody'] };
      const made = [
        await room.createWebRtcTransport({ listenInfos: [...listenInfos], placement }),
        await room.createPlainTransport({ listenIp: '127.0.0.1', placement }),
        await room.createPipeTransport({ listenIp: '127.0.0.1', placement }),
        await room.createDirectTransport({ placement }),
        await room.createActiveSpeakerObserver({ placement }),
        await room.createAudioLevelObserver({ placement }),
      ];
      for (const object of made) {
        expect(object.closed).toBe(false);
        object.close();
      }
      const wrong = { placement: { regoin: 'eu' } } as object;
      await expect(room.createDirectTransport(wrong)).rejects.toThrow(
        /placement: unknown option regoin, do you mean region\?/,
      );
    });

    test.each([
      ['createWebRtcTransport', { listenInfo: { protocol: 'udp', ip: '127.0.0.1' } }, 'listenInfos'],
      ['createPlainTransport', { rtcpmux: true }, 'rtcpMux'],
      ['createPipeTransport', { enableRTX: true }, 'enableRtx'],
      ['createDirectTransport', { maxMessageSize: 5 }, 'maxSendMessageSize'],
      ['createActiveSpeakerObserver', { intervall: 5 }, 'interval'],
      ['createAudioLevelObserver', { treshold: -50 }, 'threshold'],
    ] as const)('%s(%p) is refused, and says what is near', async (method, options, nearest) => {
      const called = (room[method] as (options: object) => Promise<unknown>)(options);
      await expect(called).rejects.toThrow(TypeError);
      const says = new RegExp(
        `${method}\\(\\): unknown option ${Object.keys(options)[0]}, do you mean ${nearest}\\?; known are .*placement`,
      );
      await expect(called).rejects.toThrow(says);
      expect(() => system.mafalda.createMafaldaRouter({ routerOptions: { mediacodecs: [] } as object })).toThrow(
        /routerOptions: unknown option mediacodecs, do you mean mediaCodecs\?/,
      );
    });

    test('options of earlier versions of mediasoup are none of these', async () => {
      const former = { listenInfos: [...listenInfos], numSctpStreams: { OS: 16, MIS: 16 } };
      (await room.createWebRtcTransport(former)).close();
    });

    test('createWebRtcTransport() may be called without any: whether that is enough depends on the addresses of the server', async () => {
      await expect(room.createWebRtcTransport()).rejects.toThrow(
        /one of them is mandatory, unless the server has addresses of its own/,
      );
      await expect(room.createPlainTransport()).rejects.toThrow(TypeError);
      await expect(room.createPipeTransport()).rejects.toThrow(TypeError);
    });

    test('what can’t be sent of an appData stays with its giver, as the same object', async () => {
      const peer = new Peer();
      peer.room = { peers: [peer], name: 'lobby' };
      const appData = { peer, socket: peer.socket, mixed: [1, peer.notify, null, 2n], name: 'Ann' };
      const transport = await room.createDirectTransport({ appData });
      const [producer, data, observer] = [
        await transport.produce({ kind: 'audio', rtpParameters: opus(1111), appData }),
        await transport.produceData({ appData }),
        await room.createAudioLevelObserver({ appData }),
      ];
      const consumer = await transport.consume({
        producerId: producer.id,
        rtpCapabilities: await room.getRtpCapabilities(),
        appData,
      });
      for (const object of [transport, producer, data, observer, consumer]) expect(object.appData).toBe(appData);
      const emitter = Object.assign(new EventEmitter(), { secret: 'its insides' }) as unknown as AppData;
      expect((await room.createDirectTransport({ appData: emitter })).appData).toBe(emitter);
    });

    test('a Router has the appData of the room', async () => {
      const appData = { peer: new Peer() };
      const other = system.mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs, appData } });
      await other.createDirectTransport();
      for (const router of other.routers.values()) expect(router.appData).toBe(appData);
      await other.close();
    });

    test('the ends of pipes show where they send to', async () => {
      const transports = await createInEveryPlace(room, system.places, () => room.createDirectTransport());
      const producer = await transports[0]!.produceData();
      await Promise.all(transports.slice(1).map(transport => transport.consumeData({ dataProducerId: producer.id })));
      const pipes = (): PipeTransport[] =>
        [...room.transports.values()].filter((transport): transport is PipeTransport => transport.type === 'pipe');
      const ports = (): Set<number> => new Set(pipes().map(({ tuple }) => tuple.localPort));
      await until(
        'each end knows the other one',
        () =>
          pipes().length > 0 &&
          pipes().every(
            ({ tuple: { remoteIp, remotePort } }) => remoteIp === '127.0.0.1' && ports().has(remotePort ?? 0),
          ),
      );
    });

    test('the MafaldaRouters that there are can be listed, with who holds them', async () => {
      const transport = await room.createDirectTransport();
      const state = (await system.mafalda.listMafaldaRouters()).find(({ id }) => id === room.id);
      const objects = (state?.holders ?? []).map(holder => holder.objects);
      expect(Math.max(...objects)).toBeGreaterThanOrEqual(3);
      // A client that is attached at the end of a wire is named there; a node of this process has none.
      for (const { node, clients } of state?.holders ?? []) {
        if (node !== undefined && !node.startsWith('local-')) expect(clients.length).toBeGreaterThan(0);
      }
      transport.close();
    });

    test('listeners are typed for every Mafalda', () => {
      const made: string[] = [];
      const onMade = (mafaldaRouter: MafaldaRouter): void => void made.push(mafaldaRouter.id);
      system.mafalda.on('newmafaldarouter', onMade);
      const { id } = system.mafalda.createMafaldaRouter();
      system.mafalda.off('newmafaldarouter', onMade);
      expect([made, system.mafalda.listenerCount('newmafaldarouter')]).toEqual([[id], 0]);
    });
  });
}
