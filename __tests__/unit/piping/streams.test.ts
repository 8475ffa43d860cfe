/** What is the stream, and what is left of it. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ObjectTree, ObjectTreeEvents, TreeNode } from '../../../src/core/objectTree.ts';
import { linkAppData } from '../../../src/piping/endpoint.ts';
import { Streams } from '../../../src/piping/streams.ts';

/** As much of a tree and its nodes as is looked at. */
class ImaginaryTree extends EnhancedEventEmitter<ObjectTreeEvents> {
  *nodes(): Iterable<TreeNode> {
    yield* [];
  }
}

interface Thing {
  closed: boolean;
  close: () => void;
}

let tree: ImaginaryTree;
let streams: Streams;

beforeEach(() => {
  tree = new ImaginaryTree();
  streams = new Streams(tree as unknown as ObjectTree);
});

function createRouter(id: string): TreeNode {
  return { type: 'router', id, object: { id, closed: false } } as unknown as TreeNode;
}

/** @param from the Router from which a pipe has brought it */
function produce(router: TreeNode, id: string, from?: string): Thing {
  const transport = {
    type: 'transport',
    object: { type: from === undefined ? 'direct' : 'pipe', appData: from === undefined ? {} : linkAppData(from) },
    parent: router,
  };
  const object: Thing & { kind: string } = {
    kind: 'audio',
    closed: false,
    close: () => {
      if (object.closed) return;
      object.closed = true;
      tree.emit('remove', node);
    },
  };
  const node = { type: 'producer', id, object, parent: transport } as unknown as TreeNode;
  tree.emit('add', node);
  return object;
}

function where(id: string): string[] {
  return streams.find(id).map(({ router }) => router.id);
}

describe('a stream', () => {
  test('is its origin, before all that pipes have made of it', () => {
    const [a, b] = [createRouter('a'), createRouter('b')];
    produce(b, 'mic', 'a');
    const origin = produce(a, 'mic');
    expect([where('mic'), streams.hasOrigin('mic'), streams.producer('mic') as unknown]).toEqual([
      ['a', 'b'],
      true,
      origin,
    ]);
  });

  test('is where its copies are, if its origin is out of sight, or not in sight yet', async () => {
    const [a, b] = [createRouter('a'), createRouter('b')];
    produce(b, 'mic', 'a');
    expect([where('mic'), streams.hasOrigin('mic')]).toEqual([['b'], false]);
    await expect(streams.produce('DataProducer', 'mic', async () => undefined)).rejects.toThrow(
      new TypeError('a DataProducer with same id "mic" already exists'),
    );
    produce(a, 'mic');
    expect(where('mic')).toEqual(['a', 'b']);
  });

  test('is nowhere any more when it has ended, whatever is left of it', async () => {
    const [a, b, c] = [createRouter('a'), createRouter('b'), createRouter('c')];
    const origin = produce(a, 'mic');
    produce(b, 'mic', 'a');
    produce(c, 'mic', 'b');
    origin.close();
    expect([where('mic'), streams.isGone('mic'), streams.producer('mic')]).toEqual([[], false, undefined]);
    await expect(streams.produce('Producer', 'mic', async () => 'free')).resolves.toBe('free');
  });

  test('is not what arrives of it after its end', () => {
    const [a, b] = [createRouter('a'), createRouter('b')];
    produce(a, 'mic').close();
    const late = produce(b, 'mic', 'a');
    expect([where('mic'), late.closed]).toEqual([[], false]);
    late.close();
    produce(a, 'mic');
    produce(b, 'mic', 'a');
    expect(where('mic')).toEqual(['a', 'b']);
  });

  test('that was lost with its Router may live', () => {
    const [a, b] = [createRouter('a'), createRouter('b')];
    (a.object as unknown as Thing).closed = true;
    produce(a, 'mic').close();
    produce(b, 'mic', 'a');
    expect(where('mic')).toEqual(['b']);
  });

  test('takes its copies along when the application ends it, and nobody else’s', () => {
    const [a, b, c] = [createRouter('a'), createRouter('b'), createRouter('c')];
    const [first, second] = [produce(a, 'mic'), produce(a, 'camera')];
    const copies = [produce(b, 'mic', 'a'), produce(c, 'mic', 'b')];
    const others = [produce(b, 'camera', 'a'), produce(c, 'camera', 'elsewhere'), second];
    streams.endingHere(() => first.close());
    expect([copies.map(({ closed }) => closed), others.map(({ closed }) => closed)]).toEqual([
      [true, true],
      [false, false, false],
    ]);
    expect(streams.isGone('mic')).toBe(true);
    // What is told by others says nothing of what they have made since.
    second.close();
    expect(others[0]!.closed).toBe(false);
  });

  test('remembers only so many ends', () => {
    const [a, b] = [createRouter('a'), createRouter('b')];
    for (let index = 0; index < 1001; ++index) produce(a, `stream ${index}`).close();
    produce(b, 'stream 0', 'a');
    produce(b, 'stream 1', 'a');
    expect([where('stream 0'), where('stream 1')]).toEqual([['b'], []]);
  });
});
