/** A single operation takes as many steps where there is much already as where there is little. */
import { expect, test } from '@jest/globals';
import type { Producer, Router } from 'mediasoup/types';
import { lossOf } from '../../src/horizontal/lostNodes.ts';
import { PairedEnds } from '../../src/piping/links/pairedEnds.ts';
import { LinkTable } from '../../src/horizontal/reachability/linkTable.ts';
import { IdlePipes } from '../../src/piping/links/idlePipes.ts';
import { ObjectTree } from '../../src/core/objectTree.ts';
import { PipeFlow } from '../../src/piping/flow/pipeFlow.ts';
import { watchPaths } from '../../src/piping/lostPaths.ts';
import type { LostPath } from '../../src/api/types.ts';
import { Streams } from '../../src/piping/streams.ts';
import { StreamUsers } from '../../src/piping/streamUsers.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';
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
    opened(new PairedEnds({ tree, streams: this.streams, users, domainOf, isLost: () => false }));
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
    const [copy] = [...pair.tree.nodes()].filter(({ type, id, parent }) => type === 'producer' && id === 'stream 50' && parent?.object === (pair.ends[1] as object));
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

test.each(['first', 'inRouter', 'producer', 'hasOrigin', 'findPiped'] as const)('%s() of a stream that is in many places', name => {
  const steps = [10, 1000].map(places => {
    const tree = new ObjectTree();
    const streams = new Streams(tree);
    produce(createTransport(addRouter(tree, 'origin')), 'webinar');
    for (let place = 0; place < places; ++place) produce(createTransport(addRouter(tree, `place ${place}`), 'origin'), 'webinar');
    const router = tree.routers.get('place 9')!;
    return stepsOf(() => {
      if (name === 'inRouter') expect(streams.inRouter('webinar', router)?.router).toBe(router);
      else if (name === 'findPiped') expect(streams.findPiped('webinar', router, 'origin')?.router).toBe(router);
      else expect(streams[name]('webinar')).toBeTruthy();
    });
  });
  expect(steps[1]).toBe(steps[0]);
});

test('where a stream is that is in many places takes as many steps as there are places', () => {
  const steps = [100, 1000].map(places => {
    const tree = new ObjectTree();
    const streams = new Streams(tree);
    produce(createTransport(addRouter(tree, 'origin')), 'webinar');
    for (let place = 0; place < places; ++place) produce(createTransport(addRouter(tree, `place ${place}`), 'origin'), 'webinar');
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
    const options = { tree: node.tree, users: new StreamUsers(node.tree), isOurs: () => true };
    const table = links as unknown as Parameters<typeof lossOf>[1]['links'];
    return stepsOf(() => expect(lossOf(['lost 5'], { ...options, links: table }).left).toHaveLength(1));
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
    return stepsOf(() => expect((links.otherEnd(end)?.transport)?.type).toBe('pipe'));
  });
  expect(steps[1]).toBe(steps[0]);
});
