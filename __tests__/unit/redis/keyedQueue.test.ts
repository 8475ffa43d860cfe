import { expect, test } from '@jest/globals';
import { KeyedQueue } from '../../../src/redis/keyedQueue.ts';

/** A queue whose work ends when it is told. */
function createQueue(limit: number): { queue: KeyedQueue; begun: string[]; end: (key: string) => Promise<void> } {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const queue = new KeyedQueue(limit, key => {
    begun.push(key);
    return new Promise(resolve => ends.set(key, resolve));
  });
  const end = async (key: string): Promise<void> => {
    ends.get(key)!();
    await new Promise(resolve => setImmediate(resolve));
  };
  return { queue, begun, end };
}

test('some keys are worked on at once, and the others in their turn', async () => {
  const { queue, begun, end } = createQueue(2);
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
  expect(begun).toEqual(['a', 'b']);
  await end('b');
  expect(begun).toEqual(['a', 'b', 'c']);
  queue.delete('d');
  await end('a');
  expect([begun, queue.has('c'), queue.has('d')]).toEqual([['a', 'b', 'c'], true, false]);
});

test('a key that is added while it is worked on is worked on once more, alone', async () => {
  const { queue, begun, end } = createQueue(5);
  queue.add('a');
  queue.add('a');
  queue.add('a');
  expect(begun).toEqual(['a']);
  await end('a');
  expect(begun).toEqual(['a', 'a']);
  queue.add('a');
  queue.clear();
  await end('a');
  expect([begun, queue.has('a')]).toEqual([['a', 'a'], false]);
});
