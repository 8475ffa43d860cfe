/** A single operation takes as many steps where there is much already as where there is little. */
import { expect, test } from '@jest/globals';
import type { Producer, Router, Transport } from 'mediasoup/types';
import { Losses, type LossesOptions } from '../../src/horizontal/lostNodes.ts';
import { NodePool } from '../../src/horizontal/nodePool.ts';
import { PairedEnds } from '../../src/piping/links/pairedEnds.ts';
import { LinkTable } from '../../src/horizontal/reachability/linkTable.ts';
import { concentrate } from '../../src/placement/strategies.ts';
import { Aliases } from '../../src/local/aliases.ts';
import { IdlePipes } from '../../src/piping/links/idlePipes.ts';
import { Mirrors } from '../../src/remote/client/mirrors.ts';
import { resolveOptions } from '../../src/api/optionsSchema.ts';
import { nodeLimits } from '../../src/remote/client/nodeLimits.ts';
import { UnconfirmedCloses } from '../../src/remote/client/unconfirmedCloses.ts';
import { MemoryBudget } from '../../src/remote/protocol/memory.ts';
import { Exports } from '../../src/remote/server/exports.ts';
import { TreeExport } from '../../src/remote/server/treeExport.ts';
import { WorkerCounts } from '../../src/base/workerCounts.ts';
import { ObjectTree } from '../../src/core/objectTree.ts';
import { PipeFlow } from '../../src/piping/flow/pipeFlow.ts';
import { watchPaths } from '../../src/piping/watchPaths.ts';
import type { LostPath } from '../../src/api/types.ts';
import { Streams } from '../../src/piping/streams.ts';
import { StreamUsers } from '../../src/piping/streamUsers.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';
import { ImaginaryNode } from '../helpers/imaginaryNode.ts';
import { addRouter, consume, createTransport, produce, type ImaginaryObject } from '../helpers/imaginaryObjects.ts';
import { stepsOf } from '../helpers/steps.ts';

const opened = closingAfterEach();

/** Two Routers on two nodes, with a link between them. */
class Pair {
  readonly tree = new ObjectTree();
  readonly streams = new Streams(this.tree);
  readonly users = new StreamUsers(this.tree);
  readonly lost: LostPath[] = [];
  readonly near = addRouter(this.tree, 'near');
  readonly far = addRouter(this.tree, 'far');
  readonly speaker = createTransport(this.near);
  readonly listener = createTransport(this.far);
  readonly ends = [createTransport(this.near, 'far'), createTransport(this.far, 'near')] as const;
  readonly idlePipes: IdlePipes;

  constructor(streams: number) {
    const { tree, users } = this;
    watchPaths(tree, this.streams, users, path => void this.lost.push(path));
    const domainOf = (router: Router): string => router.id;
    opened(
      new PairedEnds({ tree, streams: this.streams, users, domainOf, isLost: () => false, onPaired: () => undefined }),
    );
    opened(new PipeFlow({ tree, streams: this.streams, domainOf, alone: false }));
    this.idlePipes = new IdlePipes(tree, 600_000);
    opened({ close: () => this.idlePipes.clear() });
    for (let stream = 0; stream < streams; ++stream) this.pipe(`stream ${stream}`);
  }

  /** Pipes one more stream. @returns its Consumer at the other end of the link */
  pipe(id: string): ImaginaryObject {
    produce(this.speaker, id);
    consume(this.ends[0], id);
    produce(this.ends[1], id);
    return consume(this.listener, id);
  }
}

function comparison(act: (pair: Pair) => void): number[] {
  return [100, 1000].map(streams => {
    const pair = new Pair(streams);
    return stepsOf(() => act(pair));
  });
}

test('one more stream over a link that carries many', () => {
  const [few, many] = comparison(pair => void pair.pipe('one more'));
  expect(many).toBe(few);
});

test('the end of one pipe of many', () => {
  const consumers = [100, 1000].map(streams => {
    const pair = new Pair(streams);
    const [copy] = [...pair.tree.nodes()].filter(
      ({ type, id, parent }) =>
        type === 'producer' && id === 'stream 50' && parent?.object === (pair.ends[1] as object),
    );
    const steps = stepsOf(() => (copy!.object as Producer).close());
    expect(pair.lost).toMatchObject([{ producerId: 'stream 50', consumers: [{ producerId: 'stream 50' }] }]);
    return steps;
  });
  expect(consumers[1]).toBe(consumers[0]);
});

test('the end of one consumer of many', () => {
  const steps = [100, 1000].map(streams => {
    const consumer = new Pair(streams).pipe('last');
    return stepsOf(() => consumer.close());
  });
  expect(steps[1]).toBe(steps[0]);
});

test.each(['first', 'inRouter', 'producer', 'hasOrigin', 'findPiped'] as const)(
  '%s() of a stream that is in many places',
  name => {
    const steps = [10, 1000].map(places => {
      const tree = new ObjectTree();
      const streams = new Streams(tree);
      produce(createTransport(addRouter(tree, 'origin')), 'webinar');
      for (let place = 0; place < places; ++place)
        produce(createTransport(addRouter(tree, `place ${place}`), 'origin'), 'webinar');
      const router = tree.routers.get('place 9')!;
      return stepsOf(() => {
        if (name === 'inRouter') expect(streams.inRouter('webinar', router)?.router).toBe(router);
        else if (name === 'findPiped') expect(streams.findPiped('webinar', router, 'origin')?.router).toBe(router);
        else expect(streams[name]('webinar')).toBeTruthy();
      });
    });
    expect(steps[1]).toBe(steps[0]);
  },
);

test('where a stream is that is in many places takes as many steps as there are places', () => {
  const steps = [100, 1000].map(places => {
    const tree = new ObjectTree();
    const streams = new Streams(tree);
    produce(createTransport(addRouter(tree, 'origin')), 'webinar');
    for (let place = 0; place < places; ++place)
      produce(createTransport(addRouter(tree, `place ${place}`), 'origin'), 'webinar');
    return stepsOf(() => expect(streams.find('webinar')).toHaveLength(places + 1));
  });
  expect(steps[1]!).toBeLessThan(steps[0]! * 11);
});

test('what one room loses with a node, where there are many rooms', () => {
  const steps = [10, 1000].map(rooms => {
    const node = { tree: new ObjectTree() };
    const links = new LinkTable<typeof node>();
    links.watch(node);
    for (let room = 0; room < rooms; ++room) createTransport(addRouter(node.tree, `here ${room}`), `lost ${room}`);
    const [end] = links.endsTo('lost 5');
    expect(end?.routerId).toBe('here 5');
    const left: string[] = [];
    const losses = new Losses({
      tree: node.tree,
      streams: new Streams(node.tree),
      users: new StreamUsers(node.tree),
      links: links as unknown as LossesOptions['links'],
      isOwn: () => true,
      onPathLost: () => undefined,
      leaveLinks: (_node, { routerId }) => left.push(routerId),
    });
    const lost = node as unknown as Parameters<Losses['note']>[0];
    const steps = stepsOf(() => {
      losses.note(lost, ['lost 5']);
      losses.report(lost);
    });
    expect(left).toEqual(['here 5']);
    return steps;
  });
  expect(steps[1]).toBe(steps[0]);
});

test('the other end of one of many links of a Router', () => {
  const steps = [10, 1000].map(peers => {
    const node = { tree: new ObjectTree() };
    const links = new LinkTable<typeof node>();
    links.watch(node);
    const hub = addRouter(node.tree, 'hub');
    for (let peer = 0; peer < peers; ++peer) {
      createTransport(hub, `peer ${peer}`);
      createTransport(addRouter(node.tree, `peer ${peer}`), 'hub');
    }
    const end = links.endsTo('peer 9')[0]!;
    return stepsOf(() => expect(links.otherEnd(end)?.transport?.type).toBe('pipe'));
  });
  expect(steps[1]).toBe(steps[0]);
});

test('a report of the load of Workers that hold much', () => {
  const steps = [10, 1000].map(streams => {
    const tree = new ObjectTree();
    const counts = new WorkerCounts(tree);
    const transport = createTransport(addRouter(tree, 'only'));
    const producers = Array.from({ length: streams + 1 }, (_, index) => produce(transport, `stream ${index}`));
    producers[0]!.close();
    return stepsOf(() => {
      expect(counts.loads(() => 5)).toEqual([
        {
          id: 'worker of only',
          cpu: 5,
          routers: 1,
          transports: 1,
          producers: streams,
          consumers: 0,
          dataProducers: 0,
          dataConsumers: 0,
        },
      ]);
    });
  });
  expect(steps[1]).toBe(steps[0]);
});

test('what a load report tells of is gone when its Worker is', () => {
  const tree = new ObjectTree();
  const router = addRouter(tree, 'only');
  createTransport(router);
  const counts = new WorkerCounts(tree);
  expect(counts.loads(() => 0)).toMatchObject([{ routers: 1, transports: 1 }]);
  router.close();
  expect(counts.loads(() => 0)).toEqual([]);
});

test('a node by its name, and whether all have answered, among many', async () => {
  const steps: number[] = [];
  for (const count of [10, 1000]) {
    const pool = new NodePool(concentrate, 66, () => 0);
    const nodes = Array.from({ length: count }, (_, index) =>
      new ImaginaryNode(`ws://node-${index}`).connect(`server ${index}`),
    );
    for (const node of nodes) pool.add(node.mafalda, false);
    steps.push(
      stepsOf(() => {
        expect([pool.find('ws://node-9')?.url, pool.find('ws://nobody'), pool.settled]).toEqual([
          'ws://node-9',
          undefined,
          true,
        ]);
      }),
    );
    // The URL of one that turns out to be there already stands for the one that stays.
    pool.on('unfit', node => void pool.delete(node));
    const twin = new ImaginaryNode('ws://twin').connect('server 3');
    pool.add(twin.mafalda, false);
    expect([pool.find('ws://twin')?.url, pool.size]).toEqual(['ws://node-3', count]);
    pool.delete(pool.find('ws://node-3')!);
    expect([pool.find('ws://twin'), pool.find('ws://node-3')]).toEqual([undefined, undefined]);
    pool.close();
  }
  expect(steps[1]).toBe(steps[0]);
});

test('what is confirmed of what was closed, where much was lost with another session', () => {
  const steps = [10, 1000].map(lost => {
    const closes = new UnconfirmedCloses();
    const object = (handle: number) =>
      ({
        handle,
        mafaldaRouter: 'room',
        className: 'DirectTransport',
        id: String(handle),
        parentId: 'router',
      }) as const;
    for (let handle = 1; handle <= lost; ++handle) closes.add(object(handle), handle);
    closes.onSessionLost();
    closes.add(object(5000), 1);
    closes.add(object(5001), 2);
    const confirming = stepsOf(() => closes.confirm(1));
    expect([closes.has(1), closes.has(5000), closes.has(5001)]).toEqual([true, false, true]);
    const [first] = closes.takeLost();
    expect(first?.unconfirmed.handles).toHaveLength(lost);
    first!.onConfirmed();
    expect([closes.has(1), closes.has(5001)]).toEqual([false, true]);
    return confirming;
  });
  expect(steps[1]).toBe(steps[0]);
});

test('whether one of many Producers can be consumed', () => {
  const steps = [10, 1000].map(producers => {
    const unused = (): undefined => undefined;
    const caller = {
      call: () => Promise.resolve(),
      send: unused,
      closeObject: unused,
      closeMafaldaRouter: () => Promise.resolve(),
      closeLostMafaldaRouter: unused,
      listen: unused,
    };
    const mirrors = new Mirrors(caller, resolveOptions('limits', nodeLimits, {}), {
      onWorker: unused,
      onRouter: unused,
      onWorkerDied: unused,
      onDisowned: unused,
      onBound: unused,
      hasClosed: () => false,
    });
    const add = (
      handle: number,
      className: 'SharedWorker' | 'Router' | 'DirectTransport' | 'Producer',
      parent: number | undefined,
      state: object,
    ): void =>
      mirrors.add(
        'room',
        {
          handle,
          className,
          id: `${className} ${handle}`,
          parent,
          appData: {},
          state: { id: `${className} ${handle}`, ...state },
        },
        1,
      );
    add(1, 'SharedWorker', undefined, { pid: 1 });
    add(2, 'Router', 1, {});
    add(3, 'DirectTransport', 2, { type: 'direct' });
    const parameters = { codecs: [], encodings: [] };
    for (let index = 0; index < producers; ++index) {
      add(4 + index, 'Producer', 3, {
        kind: 'audio',
        type: 'simple',
        paused: false,
        rtpParameters: parameters,
        consumableRtpParameters: parameters,
      });
    }
    const router = mirrors.objectOf(2) as Router;
    const rtpCapabilities = { codecs: [], headerExtensions: [] };
    const asking = stepsOf(() =>
      expect(router.canConsume({ producerId: `Producer ${3 + producers}`, rtpCapabilities })).toBe(false),
    );
    expect([...mirrors.endAll()].length).toBeGreaterThan(producers);
    return asking;
  });
  expect(steps[1]).toBe(steps[0]);
});

test('how much a client is shown is known without counting it', () => {
  const tree = new ObjectTree();
  const shown = new TreeExport(tree, new Exports('server', new MemoryBudget(), undefined), 'room');
  const known = { objects: 0, bytes: 0 };
  const member = {
    connected: true,
    send: () => undefined,
    count: (objects: number, bytes: number) => void ((known.objects += objects), (known.bytes += bytes)),
  };
  addRouter(tree, 'before');
  shown.attach(member);
  const router = addRouter(tree, 'after');
  produce(createTransport(router), 'mic');
  expect(known).toEqual({ objects: shown.size, bytes: shown.bytes });
  expect(known.objects).toBe(6);
  router.close();
  expect(known).toEqual({ objects: shown.size, bytes: shown.bytes });
  shown.detach(member);
  expect(known).toEqual({ objects: 0, bytes: 0 });
  shown.attach(member);
  shown.close();
  expect(known).toEqual({ objects: 0, bytes: 0 });
});

test('the end of one of many Producers whose ids are others in their Worker', () => {
  const listeners = [10, 1000].map(producers => {
    const aliases = new Aliases();
    const transport = createTransport(addRouter(new ObjectTree(), 'only'));
    for (let index = 0; index < producers; ++index) {
      aliases.add(`worker's ${index}`, `public ${index}`);
      aliases.showProducer(
        produce(transport, `worker's ${index}`) as unknown as Producer,
        transport as unknown as Transport,
      );
    }
    return transport.listenerCount('@producerclose');
  });
  expect(listeners).toEqual([2, 2]);
});
