import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RedisDirectory } from '../../../src/redis/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { RedisServer, whyNoRedis } from '../../helpers/redisServer.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const missing = whyNoRedis();
if (missing) console.warn(`left out: ${missing}`);

(missing ? describe.skip : describe)('a lease in Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => void (redis = await RedisServer.create()));
  afterAll(() => redis.kill());

  async function connected(prefix: string): Promise<RedisDirectory> {
    const directory = opened(new RedisDirectory(redis.url, { prefix }));
    await directory.known;
    return directory;
  }

  test('is one’s alone until it is given back, and its token grows with each new holder', async () => {
    const [one, other] = [(await connected('a')).lease('x', 60_000), (await connected('a')).lease('x', 60_000)];
    const first = await one.acquire();
    expect(first).toBeGreaterThan(0);
    expect([await other.acquire(), await one.acquire(), one.duration]).toEqual([undefined, first, 60_000]);
    await other.release();
    expect(await other.acquire()).toBeUndefined();
    await one.release();
    const second = await other.acquire();
    expect(second).toBeGreaterThan(first!);
    expect(await one.acquire()).toBeUndefined();
  });

  test('runs out, and its token grows also when Redis was emptied', async () => {
    const [one, other] = [(await connected('b')).lease('x', 1), (await connected('b')).lease('x', 60_000)];
    const first = await one.acquire();
    let second: number | undefined;
    await until('it has run out', async () => (second = await other.acquire()) !== undefined);
    expect(second).toBeGreaterThan(first!);
    await redis.command('FLUSHALL');
    expect(await one.acquire()).toBeGreaterThan(second!);
  });

  test('leases of other names and prefixes have nothing to do with it', async () => {
    const directory = await connected('c');
    for (const lease of [directory.lease('x'), directory.lease('y'), (await connected('d')).lease('x')])
      expect(await lease.acquire()).toBeGreaterThan(0);
    expect(directory.lease().duration).toBe(10_000);
    expect(() => directory.lease('x', 0)).toThrow('duration must be a number of milliseconds');
    expect(() => directory.lease('')).toThrow(TypeError);
  });

  test('it is not known who has it while Redis is away', async () => {
    const directory = opened(new RedisDirectory('redis://127.0.0.1:1'));
    directory.on('error', () => undefined);
    await expect(directory.lease().acquire()).rejects.toThrow('no connection to Redis');
  });
});
