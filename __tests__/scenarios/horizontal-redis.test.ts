/**
 * Servers and controllers that find each other by a Redis. Of the scenarios of all implementations the options run on it,
 * in which placement and lists of rooms are; what pipes and objects do does not depend on how nodes are found. What does
 * depend on it is below: rooms that several controllers find, and what becomes of them while the Redis is ill.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { MafaldaHorizontal, type MafaldaRouter } from '../../src/index.ts';
import { RedisDirectory } from '../../src/redis/index.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';
import { whyNoRedis } from '../helpers/redisServer.ts';
import { countPackets, mediaCodecs, openPath, RtpReceiver, RtpSender } from '../helpers/rtp.ts';
import { redisSystem, type RedisSystem } from '../helpers/systems.ts';
import { until } from '../helpers/until.ts';
import { describeOptions } from './options.ts';

const PACKETS = 50;
/** As an hour in a minute. */
const timing = {
  beat: 200,
  nodeTtl: 3000,
  change: 20,
  list: 150,
  roomTtl: 6000,
  rooms: 500,
  answer: 1000,
  retry: [20, 100] as const,
  spread: 100,
  settle: 2000,
};

const reason = whyNoRedis();
if (reason) console.warn(`the scenarios with a Redis are left out: ${reason}`);
else {
  describeOptions('MafaldaHorizontal, nodes: 2, by Redis', () => redisSystem(2));
  describeOutages();
}

function describeOutages(): void {
  describe('rooms, while the Redis by which they are found', () => {
    const opened = closingAfterEach();
    let system: RedisSystem;
    let told: string[];
    let room: MafaldaRouter;
    let sender: RtpSender;
    let receivers: RtpReceiver[];
    let number = 0;

    beforeAll(async () => {
      system = await redisSystem(2, {}, timing);
      system.directory.on('error', () => told.push('error'));
      system.directory.on('recovered', () => told.push('recovered'));
    });

    beforeEach(async () => {
      told = [];
      room = system.mafalda.createMafaldaRouter({ id: `room ${++number}`, routerOptions: { mediaCodecs } });
      sender = await RtpSender.create(room, 'audio');
      receivers = await Promise.all([1, 2, 3].map(() => RtpReceiver.create(room, sender.producer.id)));
      await openPath(sender, receivers);
    });

    afterEach(async () => {
      await room.close();
    });

    afterAll(async () => {
      expect(await system.close()).toEqual([]);
    });

    /** Another controller, with a directory of its own, which has just been started. */
    async function start(): Promise<MafaldaHorizontal> {
      const directory = opened(new RedisDirectory(system.redis.url, {}, timing));
      const cluster = opened(new MafaldaHorizontal({ directory, token: 'the scenarios’ token' }));
      await once(cluster, 'connected');
      return cluster;
    }

    test.each<[string, () => Promise<void>, () => Promise<void>]>([
      ['is killed, and comes back empty', () => system.redis.kill(), () => system.redis.start()],
      ['is stopped', async () => system.redis.signal('SIGSTOP'), async () => system.redis.signal('SIGCONT')],
      ['is emptied', async () => void (await system.redis.command('FLUSHALL')), async () => undefined],
    ])('%s: they lose nothing, are joined, and new ones are placed', async (_, begin, end) => {
      const closed: string[] = [];
      for (const { consumer } of receivers) consumer.observer.on('close', () => closed.push(consumer.id));
      const counting = countPackets(sender, receivers, 3 * PACKETS);
      await until('the outage is noticed', async () => {
        await begin();
        return told.length > 0;
      });
      const joined = await RtpReceiver.create(room, sender.producer.id);
      await openPath(sender, [joined]);
      const other = system.mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
      const transports = await Promise.all([1, 2].map(() => other.createDirectTransport()));
      const nodesOf = transports.map(transport => (system.mafalda as MafaldaHorizontal).nodeOf(transport));
      expect(new Set(nodesOf).size).toBe(2);
      await end();
      await until('it is over', () => told.includes('recovered'));
      expect(await counting).toEqual(receivers.map(() => 3 * PACKETS));
      expect([told, closed]).toEqual([['error', 'recovered'], []]);

      // Everything is there again, also for a controller that knows nothing else.
      await until('a new controller finds the servers, and the room', async () => {
        const cluster = await start();
        const found = cluster.createMafaldaRouter({ id: room.id });
        await found.getRtpCapabilities().catch(() => undefined);
        return cluster.size === 2 && found.transports.size === room.transports.size;
      });
      await other.close();
    });
  });
}
