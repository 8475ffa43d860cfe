/** Metrics of a cluster of real servers, with a real pipe between them. */
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Registry } from 'prom-client';
import { MafaldaHorizontal, RemoteMafaldaClient, setLogEventListeners, type LogFacts } from '../../../src/index.ts';
import { Autoscaler } from '../../../src/autoscale/index.ts';
import { registerMetrics } from '../../../src/metrics/index.ts';
import { RedisDirectory } from '../../../src/redis/index.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { CutProxy } from '../../helpers/cutProxy.ts';
import { parseMetrics, scrape } from '../../helpers/http.ts';
import { mediaCodecs, openPath, RtpReceiver, RtpSender } from '../../helpers/rtp.ts';
import { RedisServer, whyNoRedis } from '../../helpers/redisServer.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();

async function cluster(): Promise<{ a: Served; b: Served; mafalda: MafaldaHorizontal }> {
  const [a, b] = [opened(await Served.create()), opened(await Served.create())];
  const mafalda = opened(new MafaldaHorizontal([a.url, b.url]));
  await once(mafalda, 'connected');
  return { a, b, mafalda };
}

test('a media server tells of its Workers, pipes, sessions and calls', async () => {
  const { a, b, mafalda } = await cluster();
  const before = await scrape(a.url);
  expect(before.get('mafalda_sessions{state="connected"}')).toBe(1);
  expect(before.get('mafalda_rooms')).toBe(0);
  expect([...before.keys()].filter(name => /^mafalda_worker_|_directory_/.test(name))).toEqual([]);

  const room = mafalda.createMafaldaRouter({ id: 'room-1', routerOptions: { mediaCodecs } });
  const at = (url: string): object => ({ placement: { node: url } });
  const sender = await RtpSender.create(room, 'audio', undefined, at(a.url));
  const receiver = await RtpReceiver.create(room, sender.producer.id, at(b.url));
  await openPath(sender, [receiver]);

  const [ofA, ofB] = await Promise.all([scrape(a.url), scrape(b.url)]);
  const [workerA] = [...a.mafalda.workers.keys()];
  const [workerB] = [...b.mafalda.workers.keys()];
  expect(ofA.get('mafalda_rooms')).toBe(1);
  expect(ofA.get(`mafalda_worker_producers{worker="${workerA}"}`)).toBe(1);
  expect(ofA.get(`mafalda_worker_transports{worker="${workerA}"}`)).toBe(2);
  expect(ofB.get(`mafalda_worker_consumers{worker="${workerB}"}`)).toBe(1);
  expect(ofA.get('mafalda_links{between="servers"}')).toBe(1);
  expect(ofA.get('mafalda_pipes{between="servers",direction="out"}')).toBe(1);
  expect(ofA.get('mafalda_pipes{between="servers",direction="in"}')).toBe(0);
  expect(ofB.get('mafalda_pipes{between="servers",direction="in"}')).toBe(1);
  expect(ofA.get('mafalda_pipes{between="workers",direction="out"}')).toBe(0);
  expect(ofA.get('mafalda_link_bytes_total{direction="out"}')).toBeGreaterThan(60);
  expect(ofB.get('mafalda_link_bytes_total{direction="in"}')).toBeGreaterThan(60);
  expect(ofA.get('mafalda_placements_total{reason="started"}')).toBe(1);
  const calls = 'mafalda_call_duration_seconds_count';
  expect(ofA.get(`${calls}{method="createPlainTransport",outcome="ok"}`)).toBe(1);
  expect(ofA.get(`${calls}{method="offerPipe",outcome="ok"}`)).toBe(1);
  // The observation of B's calls began with its first request for metrics, which came after them.
  expect([...ofB.keys()].filter(name => name.startsWith(calls))).toEqual([]);

  // Bytes never become fewer, also when the link has gone.
  receiver.transport.close();
  sender.transport.close();
  await until('the link has closed', () => a.mafalda.transports.size === 0);
  const after = await scrape(a.url);
  expect(after.get('mafalda_links{between="servers"}')).toBe(0);
  expect(after.get('mafalda_link_bytes_total{direction="out"}')).toBeGreaterThanOrEqual(
    ofA.get('mafalda_link_bytes_total{direction="out"}')!,
  );
});

test('a controller tells of its nodes and decisions, in the application’s own registry', async () => {
  const { a, b, mafalda } = await cluster();
  const registry = new Registry();
  registerMetrics(registry, mafalda);
  const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });
  const sender = await RtpSender.create(room, 'audio', undefined, { placement: { node: a.url } });
  await room.createDirectTransport();
  await RtpReceiver.create(room, sender.producer.id, { placement: { node: b.url } });
  const metrics = parseMetrics(await registry.metrics());
  expect(metrics.get('mafalda_placements_total{reason="bound"}')).toBe(2);
  expect(metrics.get('mafalda_placements_total{reason="used"}')).toBe(1);
  expect(metrics.get('mafalda_pipes_made_total{reason="origin"}')).toBe(1);
  expect(metrics.get('mafalda_nodes{state="connected"}')).toBe(2);
  expect(metrics.get('mafalda_nodes{state="draining"}')).toBe(0);

  const [urlA, urlB] = [a.url, b.url];
  const drained = once(mafalda, 'nodedraining');
  await a.server.drain({ deadline: 0 });
  await drained;
  const gone = once(mafalda, 'nodedisconnected');
  await b.server.close();
  await gone;
  const later = parseMetrics(await registry.metrics());
  expect(later.get('mafalda_nodes{state="draining"}')).toBe(1);
  expect(later.get('mafalda_nodes{state="disconnected"}')).toBe(1);
  expect(later.get(`mafalda_node_up{node="${urlA}"}`)).toBe(1);
  expect(later.get(`mafalda_node_up{node="${urlB}"}`)).toBe(0);

  const autoscaler = new Autoscaler(mafalda, undefined, { min: 3, max: 4 });
  opened({ close: () => autoscaler.stop() });
  registerMetrics(registry, autoscaler);
  const wanted = once(autoscaler, 'wanted');
  autoscaler.start();
  await wanted;
  const scaling = parseMetrics(await registry.metrics());
  expect(scaling.get('mafalda_servers_wanted')).toBe(autoscaler.wanted);
  expect(scaling.get('mafalda_joins_waiting')).toBe(0);
  expect(scaling.get('mafalda_servers{phase="starting"}')).toBe(0);
  expect(() => registerMetrics(registry, mafalda)).toThrow(/already been registered/);
});

test('each decision is one structured line: room, place, reason and milliseconds', async () => {
  const lines: { namespace: string; facts: LogFacts }[] = [];
  opened({ close: () => setLogEventListeners() });
  setLogEventListeners({ ondebug: (namespace, _log, facts) => facts && lines.push({ namespace, facts }) });
  const { a, b, mafalda } = await cluster();
  const room = mafalda.createMafaldaRouter({ id: 'room-1', routerOptions: { mediaCodecs } });
  const sender = await RtpSender.create(room, 'audio', undefined, { placement: { node: a.url } });
  await RtpReceiver.create(room, sender.producer.id, { placement: { node: b.url } });
  await room.createDirectTransport();
  await a.server.drain({ deadline: 0 });
  await expect(room.createDirectTransport({ placement: { node: a.url } })).rejects.toThrow(/drain/);

  const told = { room: 'room-1', reason: expect.any(String) as unknown, ms: expect.any(Number) as unknown };
  const placements = lines.filter(({ namespace }) => namespace === 'mafalda:placement').map(({ facts }) => facts);
  for (const facts of placements) expect(facts).toMatchObject(told);
  const reasonsAt = (place: 'node' | 'worker'): unknown[] =>
    placements.filter(facts => place in facts).map(({ reason }) => reason);
  expect(reasonsAt('node')).toEqual(['bound', 'bound', 'used', 'NodeDrainingError']);
  expect(reasonsAt('worker')).toEqual(['started', 'started', 'used']);
  expect(lines.filter(({ namespace }) => namespace === 'mafalda:piping').map(({ facts }) => facts)).toEqual([
    { ...told, stream: sender.producer.id, from: a.url, to: b.url, reason: 'origin' },
  ]);
});

test('a server counts reconnections, refusals, dead Workers, and the ends of sessions', async () => {
  const served = opened(await Served.create({ auth: 'secret', limits: { objects: 2 } }));
  const proxy = opened(await CutProxy.create(served.url));
  const stranger = opened(new RemoteMafaldaClient(served.url, { token: 'guessed' }));
  await once(stranger, 'error').catch(() => undefined);
  const client = opened(new RemoteMafaldaClient(proxy.url, { token: 'secret' }));
  await once(client, 'connected');
  const room = client.createMafaldaRouter();
  await room.createDirectTransport();
  await expect(room.createDirectTransport()).rejects.toThrow(/limits.objects/);
  const again = once(client, 'connected');
  proxy.cut();
  await again;
  const [pid] = served.mafalda.workers.keys();
  process.kill(Number(pid), 'SIGKILL');
  await until('the Worker has died', () => served.mafalda.statistics.diedWorkers === 1);
  await client.close();
  const metrics = await scrape(served.url);
  expect(metrics.get('mafalda_workers_died_total')).toBe(1);
  expect(metrics.get('mafalda_sessions_begun_total')).toBe(1);
  expect(metrics.get('mafalda_sessions_resumed_total')).toBe(1);
  expect(metrics.get('mafalda_sessions_ended_total{reason="left"}')).toBe(1);
  expect(metrics.get('mafalda_refusals_total{reason="unauthorized"}')).toBeGreaterThanOrEqual(1);
  expect(metrics.get('mafalda_refusals_total{reason="objects"}')).toBe(1);
});

const noRedis = whyNoRedis();
(noRedis === undefined ? test : test.skip)(
  `a controller tells of the directory that it was given${noRedis === undefined ? '' : `: ${noRedis}`}`,
  async () => {
    const redis = opened(await RedisServer.create());
    const directory = opened(new RedisDirectory(redis.url));
    const mafalda = opened(new MafaldaHorizontal({ directory }));
    mafalda.on('error', () => undefined);
    await directory.known;
    const registry = new Registry();
    registerMetrics(registry, mafalda);
    const read = async (name: string): Promise<number | undefined> =>
      parseMetrics(await registry.metrics()).get(`mafalda_controller_directory_${name}`);
    expect([await read('up'), await read('outages_total')]).toEqual([1, 0]);
    const outage = once(mafalda, 'error');
    await redis.kill();
    await outage;
    expect([await read('up'), await read('outages_total')]).toEqual([0, 1]);

    const without = new Registry();
    registerMetrics(without, opened(new MafaldaHorizontal()));
    expect([...parseMetrics(await without.metrics()).keys()].filter(name => name.includes('directory'))).toEqual([]);
  },
);
