/** Watchers keep a stream flowing into a Router. */
import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { RtpObserver } from 'mediasoup/types';
import type { ObjectTree, ObjectTreeEvents, TreeNode } from '../../../../src/core/objectTree.ts';
import { Watchers, type Watcher } from '../../../../src/piping/flow/watchers.ts';

/** As much of a tree, and of mediasoup's objects, as is looked at. */
class ImaginaryTree extends EnhancedEventEmitter<ObjectTreeEvents> {
  *nodes(): Iterable<TreeNode> {
    yield* [];
  }
}

class Thing extends EventEmitter {
  readonly observer = new EventEmitter();
  readonly producerId = 'camera';
  paused = false;

  turn(paused: boolean): void {
    this.paused = paused;
    this.observer.emit(paused ? 'pause' : 'resume');
  }
}

let tree: ImaginaryTree;
let watchers: Watchers;
let changes: string[];
const router = { type: 'router', id: 'a', object: {} } as unknown as TreeNode;
const transport = { type: 'transport', id: 't', object: {}, parent: router } as unknown as TreeNode;

beforeEach(() => {
  tree = new ImaginaryTree();
  changes = [];
  watchers = new Watchers(tree as unknown as ObjectTree, false, (streamId, routerId) =>
    changes.push(`${streamId} ${routerId} ${isWanted()}`),
  );
});

function isWanted(isAudio = false): boolean {
  return watchers.isWanted('camera', 'a', isAudio);
}

function consume(paused: boolean): { node: TreeNode; consumer: Thing } {
  const consumer = new Thing();
  consumer.paused = paused;
  const node = { type: 'consumer', object: consumer, parent: transport } as unknown as TreeNode;
  tree.emit('add', node);
  return { node, consumer };
}

describe('a stream is wanted', () => {
  test('from the first consumer that is not paused to the last one; between them nobody is told', () => {
    const [first, second] = [consume(true), consume(false)];
    first.consumer.turn(false);
    second.consumer.turn(true);
    expect([isWanted(), changes]).toEqual([true, ['camera a true']]);
    tree.emit('remove', first.node);
    expect([isWanted(), changes]).toEqual([false, ['camera a true', 'camera a false']]);
    // An object that is only out of sight has its listeners still.
    first.consumer.turn(true);
    first.consumer.turn(false);
    expect(isWanted()).toBe(false);
  });

  test('while one that is not paused is being made', () => {
    const releases = [watchers.expect('camera', 'a'), watchers.expect('camera', 'a')];
    releases[0]!();
    expect(isWanted()).toBe(true);
    const { node } = consume(false);
    releases[1]!();
    expect([isWanted(), changes]).toEqual([true, ['camera a true']]);
    tree.emit('remove', node);
    expect(isWanted()).toBe(false);
  });

  test('by one that was resumed while its Producer was paused, of which no event tells', () => {
    const { consumer } = consume(true);
    consumer.paused = false;
    expect(isWanted()).toBe(false);
    consumer.emit('producerresume');
    expect(isWanted()).toBe(true);
    consumer.paused = true;
    watchers.update(consumer as unknown as Watcher);
    expect(isWanted()).toBe(false);
  });

  test('by an observer that has been given it, and as long as nobody knows what an observer was given, if it can be heard', () => {
    const observer = new Thing();
    const node = {
      type: 'rtpObserver',
      object: Object.assign(observer, { removeProducer: () => undefined }),
      parent: router,
      observed: new Set(),
    } as unknown as TreeNode;
    tree.emit('add', node);
    expect([isWanted(false), isWanted(true)]).toEqual([false, true]);
    watchers.observerIsNew(observer as unknown as RtpObserver);
    expect(isWanted(true)).toBe(false);
    observer.observer.emit('addproducer', { id: 'camera' });
    expect(isWanted()).toBe(true);
    observer.turn(true);
    expect(isWanted()).toBe(false);
    observer.turn(false);
    observer.observer.emit('removeproducer', { id: 'camera' });
    expect(isWanted()).toBe(false);
  });
});
