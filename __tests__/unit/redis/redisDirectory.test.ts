/** The directory on a real Redis: what it survives, what it does not believe, and what it costs. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { createClient, createSentinel } from 'redis';
import { RedisDirectory } from '../../../src/redis/index.ts';
import type { Directory, NodeRecord } from '../../../src/horizontal/directory/directory.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { delayProxy } from '../../helpers/delayProxy.ts';
import { RedisServer, whyNoRedis } from '../../helpers/redisServer.ts';
import { selfSigned } from '../../helpers/tls.ts';
import { expectTrips } from '../../helpers/trips.ts';
import { until } from '../../helpers/until.ts';

/** As an hour in a minute: long enough for a busy machine. */
const timing = {
  beat: 100,
  nodeTtl: 2000,
  change: 20,
  list: 150,
  roomTtl: 6000,
  rooms: 500,
  answer: 1500,
  retry: [20, 100] as const,
  spread: 100,
  settle: 1500,
};

const closing = closingAfterEach();
let nextPrefix = 1;

test('arguments that can’t be used are refused, and no password is repeated', () => {
  expect(() => new RedisDirectory('https://redis.example')).toThrow(TypeError);
  expect(() => new RedisDirectory('redis//user:secret@')).toThrow(/^(?!.*secret)/);
  expect(() => new RedisDirectory({} as string)).toThrow('client of node-redis');
  expect(() => new RedisDirectory('redis://127.0.0.1', { prefix: '' })).toThrow('prefix');
  expect(() => new RedisDirectory('redis://127.0.0.1', { prefx: 'x' } as object)).toThrow('do you mean prefix');
  expect(() => new RedisDirectory(createClient({ RESP: 2 }))).toThrow('RESP 3');
});

const reason = whyNoRedis();
if (reason) console.warn(`the tests of the directory on Redis are left out: ${reason}`);

(reason ? describe.skip : describe)('on Redis', () => {
  let redis: RedisServer;
  let prefix: string;

  beforeAll(async () => {
    redis = await RedisServer.create();
  });

  afterAll(async () => {
    await redis.close();
  });

  /** Directories of one test see each other, and none of another. */
  function newPrefix(): void {
    prefix = `test-${nextPrefix++}`;
  }

  interface Watched {
    directory: RedisDirectory;
    /** Outages that were told of, and their ends. */
    told: string[];
  }

  function open(url = redis.url, times: Partial<typeof timing> = {}): Watched {
    const directory = closing(new RedisDirectory(url, { prefix }, { ...timing, ...times }));
    const told: string[] = [];
    directory.on('error', () => told.push('error'));
    directory.on('recovered', () => told.push('recovered'));
    return { directory, told };
  }

  function recordOf(name: string): NodeRecord {
    return { url: `wss://${name}.example`, serverId: name, labels: {}, load: 0, draining: false };
  }

  async function write(directory: Directory, names: readonly string[], rooms: readonly string[]): Promise<void> {
    for (const name of names) {
      const registration = directory.register(recordOf(name));
      for (const room of rooms) registration.hold(room);
    }
  }

  /** Reads with another directory, which knows only what is in Redis now. */
  async function inRedis(room: string): Promise<{ nodes: number; holders: number }> {
    const { directory } = open();
    await directory.known;
    const watch = directory.watch(room);
    await watch.known;
    const found = { nodes: directory.nodes.size, holders: watch.urls.size };
    await directory.close();
    return found;
  }

  async function emptyRedis(): Promise<void> {
    await redis.command('FLUSHALL');
  }

  describe('an outage is told of once, changes nothing that is known, and leaves nothing behind:', () => {
    const names = ['one', 'two', 'three'];
    const rooms = Array.from({ length: 50 }, (_, index) => `room-${index}`);

    test.each<[string, () => Promise<void>, () => Promise<void>]>([
      ['killed', () => redis.kill(), () => redis.start()],
      ['stopped', async () => redis.signal('SIGSTOP'), async () => redis.signal('SIGCONT')],
      ['emptied', emptyRedis, async () => undefined],
    ])('%s', async (_, begin, end) => {
      newPrefix();
      const [server, controller] = [open(), open()];
      await write(server.directory, names, rooms);
      await until('the nodes are known', () => controller.directory.nodes.size === names.length);
      const watches = rooms.map(room => controller.directory.watch(room));
      await until('the rooms are known', () => watches.every(({ urls }) => urls.size === names.length));
      let least = Infinity;
      const changes = { nodes: 0, rooms: 0 };
      controller.directory.on('nodegone', () => ++changes.nodes);
      for (const watch of watches)
        watch.on('change', () => {
          ++changes.rooms;
          least = Math.min(least, watch.urls.size);
        });

      await until('the controller has noticed', async () => {
        await begin();
        return controller.told.length > 0;
      });
      // Rooms are opened and closed, and watched, while nothing can be written or read.
      const registration = server.directory.register(recordOf('four'));
      for (let index = 0; index < 1000; ++index) registration.hold(`short-${index}`);
      for (let index = 0; index < 1000; ++index) registration.release(`short-${index}`);
      registration.hold('room-0');
      const during = controller.directory.watch('during');
      expect(await during.known).toBe(begin === emptyRedis);
      await end();

      await until('it is over', () => controller.told.includes('recovered'));
      await until('all is there again', async () => {
        const { nodes, holders } = await inRedis('room-49');
        return nodes === 4 && holders === names.length;
      });
      await until('the new holder is known', () => watches[0]!.urls.size === 4);
      expect(controller.told).toEqual(['error', 'recovered']);
      expect([changes.nodes, least]).toEqual([0, 4]);
      expect((await inRedis('short-1')).holders).toBe(0);
      await registration.close();
    });
  });

  test.each<[string, () => Promise<void>]>([
    ['was emptied', emptyRedis],
    [
      'is another one by now',
      async () => {
        await redis.kill();
        await redis.start();
      },
    ],
  ])('a Redis that %s may lack holders, until servers have had time to write them', async (_, begin) => {
    newPrefix();
    const [server, controller] = [open(), open()];
    await write(server.directory, ['one', 'two'], ['room']);
    const watch = controller.directory.watch('room');
    await until('the nodes are known', () => controller.directory.nodes.size === 2);
    await until('the holders are known', () => watch.refresh!());

    await until('the controller has noticed', async () => {
      await begin();
      return controller.told.length > 0;
    });
    expect(await watch.refresh!()).toBe(false);
    await until('the holders are known again', () => watch.refresh!());
    expect(watch.urls.size).toBe(2);
    expect((await inRedis('room')).holders).toBe(2);
  });

  test('a Redis that was emptied, which nobody has noticed yet, lacks holders, and is known to', async () => {
    newPrefix();
    const slow = { beat: 60_000, list: 60_000, rooms: 60_000, settle: 500 };
    const [server, controller] = [open(redis.url, slow), open(redis.url, slow)];
    await write(server.directory, ['one'], ['room']);
    const watch = controller.directory.watch('room');
    await until('the holders are known', async () => (await watch.refresh!()) && watch.urls.size === 1);
    await emptyRedis();
    expect([await watch.refresh!(), [...watch.urls], controller.told]).toEqual([false, ['wss://one.example'], []]);
    const later = controller.directory.watch('other room');
    expect([await later.refresh!(), await watch.refresh!()]).toEqual([false, false]);
    // Another server is the first to write something, and has not all holders either.
    await write(open(redis.url, slow).directory, ['two'], []);
    await until('it is written', async () => (await inRedis('room')).nodes === 1);
    expect(await watch.refresh!()).toBe(false);
    await until('servers have had their time', () => watch.refresh!());
  });

  test('a Redis that answers late, but answers, is no outage, and first use waits for one round trip', async () => {
    newPrefix();
    const proxy = closing(await delayProxy(redis.url, 150));
    const url = proxy.url.replace('ws:', 'redis:');
    const [server, controller] = [open(url), open(url)];
    await write(server.directory, ['slow'], ['room']);
    await until('the node is known', () => controller.directory.nodes.size === 1);
    await until('the room is written', async () => (await inRedis('room')).holders === 1);
    let room = 0;
    await expectTrips({ watch: 1 }, 300, async count => {
      const watch = controller.directory.watch(room++ === 0 ? 'room' : `room-${room}`);
      await count('watch', () => watch.known);
      if (room === 1) expect(watch.urls.size).toBe(1);
    });
    expect([...server.told, ...controller.told]).toEqual([]);
  });

  test('a node that no longer renews its record goes, and leaves its rooms to the others', async () => {
    newPrefix();
    const proxy = await delayProxy(redis.url, 0);
    const short = { nodeTtl: 1500, roomTtl: 1500, settle: 500 };
    const [gone, well, controller] = [
      open(proxy.url.replace('ws:', 'redis:'), short),
      open(),
      open(redis.url, { settle: 500 }),
    ];
    await write(gone.directory, ['gone'], ['room']);
    await write(well.directory, ['well', 'good', 'fine'], ['room']);
    await until('the nodes are known', () => controller.directory.nodes.size === 4);
    const watch = controller.directory.watch('room');
    await until('the room is known', () => watch.urls.size === 4);
    await proxy.close();
    await until('its record has gone', () => controller.directory.nodes.size === 3);
    await until('its room has', () => watch.urls.size === 3);
    expect([gone.told, controller.told]).toEqual([['error'], []]);
  });

  test('what is in Redis is not believed, and harms nothing', async () => {
    newPrefix();
    const [server, controller] = [open(), open()];
    const watch = controller.directory.watch('room');
    await Promise.all([watch.known, controller.directory.known]);
    const expires = String(Date.now() + 60_000);
    const record = (change: object): string => JSON.stringify({ ...recordOf('evil'), ...change });
    const junk = ['', '{', 'null', '[]', record({ url: 'file:///etc/passwd' }), record({ load: -1 })];
    const large = record({ labels: { x: 'x'.repeat(20_000) } });
    for (const [index, json] of [...junk, large].entries()) {
      await redis.command('HSET', `${prefix}:nodes`, `evil-${index}`, `${expires} ${json}`);
      await redis.command('PUBLISH', `${prefix}:nodes`, `+${json}`);
      await redis.command('PUBLISH', `${prefix}:nodes`, json);
    }
    await redis.command('HSET', `${prefix}:nodes`, 'no-time', record({}));
    await redis.command('ZADD', `${prefix}:room:room`, expires, 'file:///etc/passwd', expires, 'x'.repeat(5000));
    for (const url of ['file:///etc/passwd', 'x'.repeat(100_000), ''])
      await redis.command('PUBLISH', `${prefix}:room:room`, `+${url}`);
    await redis.command('SET', `${prefix}:room:broken`, 'no sorted set');
    const registration = server.directory.register(recordOf('good'));
    registration.hold('broken');
    registration.hold('room');
    const broken = controller.directory.watch('broken');
    await broken.known;
    await until('the good one is known', () => watch.urls.size === 1 && controller.directory.nodes.size === 1);
    expect([[...watch.urls], [...controller.directory.nodes.keys()], broken.urls.size]).toEqual([
      ['wss://good.example'],
      ['wss://good.example'],
      0,
    ]);
    expect([...server.told, ...controller.told]).toEqual([]);
  });

  test('a record that is too large is refused, before anything is written', async () => {
    newPrefix();
    const { directory } = open();
    const labels = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [index, 'ü'.repeat(200)]));
    expect(() => directory.register({ ...recordOf('large'), labels })).toThrow(TypeError);
    expect((await inRedis('room')).nodes).toBe(0);
  });

  test('a server that has another’s URL by now is not taken back by it', async () => {
    newPrefix();
    const [old, young, controller] = [open(redis.url, { beat: 60_000 }), open(), open()];
    const registration = old.directory.register(recordOf('one'));
    await until('the old one is known', () => controller.directory.nodes.size === 1);
    young.directory.register({ ...recordOf('one'), serverId: 'young' });
    await until('the young one is known', () => [...controller.directory.nodes.values()][0]!.serverId === 'young');
    await registration.close();
    expect((await inRedis('room')).nodes).toBe(1);
  });

  test('no command looks through the whole database', async () => {
    const stats = await redis.command<string>('INFO', 'commandstats');
    expect(stats).toContain('cmdstat_eval');
    expect(stats).not.toMatch(/cmdstat_(keys|scan|sscan|hscan|zscan|psubscribe)/);
  });

  test('the rights that the guide gives to servers and controllers are enough, and those of controllers are none to write', async () => {
    prefix = 'mafalda';
    const guide = await readFile(new URL('../../../docs/guides/directory.md', import.meta.url), 'utf8');
    const users = [...guide.matchAll(/^user (\w+) +(on .*)$/gm)];
    expect(users.map(([, name]) => name)).toEqual(['server', 'controller']);
    for (const [, name, rules] of users)
      await redis.command('ACL', 'SETUSER', name!, ...rules!.replace('>…', '>secret').split(' '));
    const urlOf = (name: string): string => redis.url.replace('//', `//${name}:secret@`);
    const [server, controller, wrong] = [open(urlOf('server')), open(urlOf('controller')), open(urlOf('controller'))];
    const registration = server.directory.register(recordOf('one'));
    registration.hold('room');
    const watch = controller.directory.watch('room');
    await until('the node is known', () => controller.directory.nodes.size === 1);
    await until('the room is', () => watch.urls.size === 1);
    registration.release('room');
    await until('it is released', () => watch.urls.size === 0);
    expect([...server.told, ...controller.told]).toEqual([]);
    wrong.directory.register(recordOf('two'));
    await until('it is told that it may not write', () => wrong.told.length > 0);
    await registration.close();
    await until('the node is gone', () => controller.directory.nodes.size === 0);
  });

  test('a Redis with TLS is used if its certificate is known', async () => {
    newPrefix();
    const certificate = await selfSigned();
    const secure = closing(await RedisServer.create(certificate));
    const directoryWith = (ca: string | undefined): { directory: RedisDirectory; errors: string[] } => {
      const pattern = createClient({ url: secure.url, socket: { tls: true, ca } });
      const directory = closing(new RedisDirectory(pattern, { prefix }, timing));
      const errors: string[] = [];
      directory.on('error', ({ message }) => errors.push(message));
      return { directory, errors };
    };
    const [server, controller, stranger] = [certificate.cert, certificate.cert, undefined].map(directoryWith) as [
      ReturnType<typeof directoryWith>,
      ReturnType<typeof directoryWith>,
      ReturnType<typeof directoryWith>,
    ];
    await write(server.directory, ['one'], ['room']);
    const watch = controller.directory.watch('room');
    await until('the node is known', () => controller.directory.nodes.size === 1);
    await until('its room is', () => watch.urls.size === 1);
    const byUrl = open(secure.url);
    await until('those that don’t know the certificate have given up', () =>
      [stranger.errors, byUrl.told].every(({ length }) => length > 0),
    );
    expect([server.errors, controller.errors, stranger.errors]).toEqual([
      [],
      [],
      [expect.stringMatching(/self.signed/)],
    ]);
  });

  test('a Redis that dies is replaced by its replica, where Sentinels watch it', async () => {
    newPrefix();
    const master = closing(await RedisServer.create());
    const replica = closing(
      await RedisServer.create(undefined, [
        '--replicaof',
        '127.0.0.1',
        String(master.port),
        '--repl-diskless-sync-delay',
        '0',
      ]),
    );
    const sentinel = closing(await RedisServer.sentinel(master));
    const told: string[] = [];
    const openWatched = (): RedisDirectory => {
      const pattern = createSentinel({
        name: 'mymaster',
        sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel.port }],
      });
      const directory = closing(new RedisDirectory(pattern, { prefix }, timing));
      directory.on('error', () => told.push('error')).on('recovered', () => told.push('recovered'));
      return directory;
    };
    const [server, controller] = [openWatched(), openWatched()];
    await write(server, ['one'], ['room']);
    const watch = controller.watch('room');
    await until('the node is known', () => controller.nodes.size === 1);
    await until('its room is', () => watch.urls.size === 1);
    await until(
      'the Sentinel knows the replica',
      async () => (await sentinel.command<unknown[]>('SENTINEL', 'REPLICAS', 'mymaster')).length === 1,
    );
    await master.kill();
    await until('the replica is the master', async () => {
      const [, port] = await sentinel.command<string[]>('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster');
      return Number(port) === replica.port;
    });
    await write(server, ['two'], ['room']);
    await until('all is there', () => controller.nodes.size === 2 && watch.urls.size === 2, 40_000);
  });

  test('a client of node-redis serves as a pattern, and a directory leaves it alone', async () => {
    newPrefix();
    const pattern = createClient({ url: redis.url, name: 'pattern' });
    const directory = closing(new RedisDirectory(pattern, { prefix }, timing));
    directory.register(recordOf('one'));
    await until('it is written', async () => (await inRedis('room')).nodes === 1);
    const clients = await redis.command<string>('CLIENT', 'LIST');
    expect([pattern.isOpen, clients.includes('name=pattern')]).toEqual([false, true]);
    await directory.close();
    await until('its connection has ended', async () => {
      return !(await redis.command<string>('CLIENT', 'LIST')).includes('name=pattern');
    });
    expect(() => directory.watch('room')).toThrow('closed');
  });
});
