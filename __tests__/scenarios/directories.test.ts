import { ConsulDirectory } from '../../examples/directory/consulDirectory.ts';
import { ConsulImitation } from '../helpers/consulImitation.ts';
import { MemoryStore } from '../helpers/memoryDirectory.ts';
import { RedisServer, whyNoRedis } from '../helpers/redisServer.ts';
import { RedisDirectory } from '../../src/redis/index.ts';
import { describeDirectory } from './directories.ts';

describeDirectory('a directory in memory', async () => {
  const store = new MemoryStore();
  return { open: () => store.open(), close: async () => undefined };
});

describeDirectory('the example of a directory, on an imitation of Consul', async () => {
  const consul = await ConsulImitation.create();
  return { open: () => new ConsulDirectory(consul.url), close: () => consul.close() };
});

const reason = whyNoRedis();
if (reason) console.warn(`the tests of directories on Redis are left out: ${reason}`);
else
  describeDirectory('a directory on Redis', async () => {
    const redis = await RedisServer.create();
    return { open: () => new RedisDirectory(redis.url), close: () => redis.close() };
  });
