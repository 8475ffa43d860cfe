import { randomBytes } from 'node:crypto';
import { ConsulDirectory } from '../../examples/directory/consulDirectory.ts';
import { ConsulImitation } from '../helpers/consulImitation.ts';
import { MemoryStore } from '../helpers/memoryDirectory.ts';
import { RedisServer, whyNoRedis } from '../helpers/redisServer.ts';
import { RedisDirectory } from '../../src/redis/index.ts';
import { Dht } from '../../src/swarm/dht/dht.ts';
import { SwarmDirectory } from '../../src/swarm/directory/swarmDirectory.ts';
import { Identity } from '../../src/swarm/identity.ts';
import { Trust } from '../../src/swarm/trust.ts';
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

describeDirectory('the directory of a swarm', async () => {
  const host = '127.0.0.1';
  const trust = new Trust({ key: randomBytes(32), trusted: undefined, revoked: [] });
  const options = { host, listenHost: host, port: 0 };
  const { keys } = trust;
  const first = await Dht.open({ ...options, keys, bootstrap: [], identity: new Identity(), status: () => [] });
  const bootstrap = [`${host}:${first.address.port}`];
  const timing = { sampleInterval: 100, lookupInterval: 1000 };
  return {
    open: () => new SwarmDirectory({ ...options, trust, bootstrap, identity: new Identity() }, timing),
    close: () => first.close(),
  };
});
