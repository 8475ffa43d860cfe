import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Router, Worker } from 'mediasoup/types';
import { ObjectTree } from '../../../src/core/objectTree.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { LinkedRouters } from '../../helpers/routers.ts';

const opened = closingAfterEach();

let linked: LinkedRouters;
let tree: ObjectTree;
let router: Router;
let worker: Worker;
let told: string[];

beforeEach(async () => {
  linked = opened(await LinkedRouters.create(1));
  tree = linked.tree;
  [router] = linked.routers as [Router];
  [worker] = linked.workers as [Worker];
  told = watch(tree);
});

function watch(watched: ObjectTree): string[] {
  const log: string[] = [];
  watched.on('add', ({ type, id }) => log.push(`+ ${type} ${id.length > 10 ? '' : id}`.trim()));
  watched.on('remove', ({ type, id }) => log.push(`- ${type} ${id.length > 10 ? '' : id}`.trim()));
  return log;
}

describe('an ObjectTree', () => {
  test('shows what comes before the call that makes it has returned', async () => {
    const { transport, producer } = await linked.produce(router, 'mic');
    const observer = await router.createAudioLevelObserver();
    const consumer = await transport.consume({ producerId: 'mic', rtpCapabilities: router.rtpCapabilities });
    expect(told).toEqual(['+ transport', '+ producer mic', '+ rtpObserver', '+ consumer']);
    expect(tree.workers).toMatchObject({ size: 1 });
    expect([...tree.routers.keys()]).toEqual([router.id]);
    expect(tree.transports.get(transport.id)).toBe(transport);
    expect(tree.rtpObservers.get(observer.id)).toBe(observer);
    const node = tree.nodeOf<'producer'>(producer);
    expect([node?.parent?.object, node?.parent?.parent?.object, node?.parent?.parent?.parent?.object]).toEqual([
      transport,
      router,
      worker,
    ]);
    expect([...tree.nodeOf<'transport'>(transport)!.children].map(({ object }) => object)).toEqual([
      producer,
      consumer,
    ]);
  });

  test('has parents before their children, and removes children before their parents', async () => {
    const { transport, producer } = await linked.produce(router, 'mic');
    await transport.produceData({ id: 'chat' });
    await transport.consumeData({ dataProducerId: 'chat' });
    const seen = new Set<object>();
    for (const node of tree.nodes()) {
      if (node.parent) expect(seen).toContain(node.parent);
      seen.add(node);
    }
    told.length = 0;
    let shownWhileClosing: unknown;
    producer.observer.on('close', () => (shownWhileClosing = tree.transports.get(transport.id)));
    router.close();
    expect(shownWhileClosing).toBe(transport);
    expect(told.at(-1)).toMatch(/^- worker/);
    expect(told.slice(-3, -1)).toEqual(['- transport', '- router']);
    expect(told.slice(0, -3).sort()).toEqual(['- dataConsumer', '- dataProducer chat', '- producer mic']);
    expect([tree.size, tree.workers.size, tree.routers.size, tree.transports.size]).toEqual([0, 0, 0, 0]);
  });

  test('is empty after its Worker has died', async () => {
    await linked.produce(router, 'mic');
    const died = new Promise(resolve => worker.once('died', resolve));
    process.kill(worker.pid, 'SIGKILL');
    await died;
    expect([tree.size, ...tree.nodes()]).toEqual([0]);
    expect(told.slice(-4)).toEqual(['- producer mic', '- transport', '- router', expect.stringMatching('- worker')]);
  });

  // mediasoup itself does not notice: it hands out an object that is open, in one that is closed.
  test('keeps nothing that was being made while its parent closed', async () => {
    const { transport } = await linked.produce(router, 'mic');
    const rtpCapabilities = router.rtpCapabilities;
    const other = await router.createDirectTransport();
    const underway: Promise<{ closed: boolean }>[] = [
      other.produceData({ id: 'chat' }),
      other.consume({ producerId: 'mic', rtpCapabilities }),
    ];
    other.close();
    for (const result of await Promise.allSettled(underway))
      if (result.status === 'fulfilled') expect(result.value.closed).toBe(true);
    expect([...tree.nodes()].map(({ type }) => type)).toEqual(['worker', 'router', 'transport', 'producer']);
    expect(linked.streams.find('chat')).toEqual([]);

    const late: Promise<{ closed: boolean }>[] = [
      router.createDirectTransport(),
      router.createAudioLevelObserver(),
      transport.produceData(),
    ];
    router.close();
    for (const result of await Promise.allSettled(late))
      if (result.status === 'fulfilled') expect(result.value.closed).toBe(true);
    expect([tree.size, tree.transports.size, tree.rtpObservers.size]).toEqual([0, 0, 0]);
  });

  test('knows nothing of what it does not follow', async () => {
    const stranger = await worker.createRouter();
    expect(tree.nodeOf<'router'>(stranger)).toBeUndefined();
    expect(tree.routers.size).toBe(1);
    stranger.close();
  });
});

describe('trees that are included', () => {
  /** A tree with one Router on the same Worker. */
  async function another(): Promise<{ tree: ObjectTree; router: Router }> {
    const result = { tree: new ObjectTree(), router: await worker.createRouter() };
    result.tree.addRouter(result.router, worker, String(worker.pid));
    return result;
  }

  test('show what is there and what comes, until they are excluded', async () => {
    const { transport } = await linked.produce(router, 'mic');
    const all = new ObjectTree();
    const log = watch(all);
    all.include(tree);
    expect(log).toEqual([expect.stringMatching(/^\+ worker/), '+ router', '+ transport', '+ producer mic']);
    await transport.produceData({ id: 'chat' });
    expect(log.at(-1)).toBe('+ dataProducer chat');
    log.length = 0;
    all.exclude(tree);
    expect(log).toEqual([
      '- dataProducer chat',
      '- producer mic',
      '- transport',
      '- router',
      expect.stringMatching('- worker'),
    ]);
    expect([all.size, tree.size]).toEqual([0, 5]);
    await transport.produceData({ id: 'more' });
    all.exclude(tree);
    expect([all.size, log.length]).toEqual([0, 5]);
  });

  test('may share a Worker, which is there as long as one of them has it', async () => {
    const other = await another();
    const all = new ObjectTree();
    const log = watch(all);
    all.include(tree);
    all.include(other.tree);
    expect([all.workers.size, all.routers.size]).toEqual([1, 2]);
    expect(log.filter(line => line.includes('worker'))).toHaveLength(1);
    router.close();
    expect([all.workers.size, all.routers.size, tree.size]).toEqual([1, 1, 0]);
    all.exclude(other.tree);
    expect([all.workers.size, all.size, other.tree.size]).toEqual([0, 0, 2]);
    all.include(other.tree);
    other.router.close();
    expect([all.size, other.tree.size, worker.closed]).toEqual([0, 0, false]);
  });

  test('may be included in two, and in ones that are included themselves', async () => {
    const [middle, top, side] = [new ObjectTree(), new ObjectTree(), new ObjectTree()];
    middle.include(tree);
    top.include(middle);
    side.include(tree);
    await linked.produce(router, 'mic');
    expect([middle.size, top.size, side.size]).toEqual([4, 4, 4]);
    middle.exclude(tree);
    expect([middle.size, top.size, side.size, tree.size]).toEqual([0, 0, 4, 4]);
    router.close();
    expect([side.size, tree.size]).toEqual([0, 0]);
  });

  test('leave the children of what is in other trees as they are', async () => {
    const { transport } = await linked.produce(router, 'mic');
    const all = new ObjectTree();
    all.include(tree);
    all.exclude(tree);
    expect([...tree.nodeOf<'transport'>(transport)!.children].map(({ id }) => id)).toEqual(['mic']);
    expect(tree.nodeOf<'router'>(router)!.children.size).toBe(1);
  });
});
