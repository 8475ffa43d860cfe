import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { DuplicateIdError } from '../../../../src/api/errors.ts';
import { ObjectTree } from '../../../../src/core/objectTree.ts';
import { noteProducedAt } from '../../../../src/core/producedAt.ts';
import { DoubledStreams } from '../../../../src/horizontal/pipes/doubledStreams.ts';
import { addRouter, createTransport, produce, type ImaginaryObject } from '../../../helpers/imaginaryObjects.ts';

let tree: ObjectTree;
let own: Set<object>;
let errors: DuplicateIdError[];
let doubled: DoubledStreams;

beforeEach(() => {
  jest.useFakeTimers();
  tree = new ObjectTree();
  own = new Set();
  errors = [];
  doubled = new DoubledStreams({ tree, isOwn: object => own.has(object), onClosed: error => errors.push(error) });
});

afterEach(() => {
  doubled.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

function add(
  routerId: string,
  { at, isOwn = false, from }: { at?: number; isOwn?: boolean; from?: string },
): ImaginaryObject {
  const transport = createTransport(addRouter(tree, routerId), from);
  if (isOwn) own.add(transport);
  const producer = produce(transport, 'mic');
  if (at !== undefined) noteProducedAt(producer, at);
  return producer;
}

describe('of two streams with one id', () => {
  test.each([
    ['the younger, if it is one’s own', { at: 200, isOwn: true }, { at: 100 }, [true, false]],
    ['none, if one’s own is the older', { at: 100, isOwn: true }, { at: 200 }, [false, false]],
    ['none, if both are others’', { at: 200 }, { at: 100 }, [false, false]],
    ['the one in the later Router, if both are as old', { at: 5, isOwn: true }, { at: 5, isOwn: true }, [false, true]],
    ['one’s own, if the other’s age is not known', { at: 5, isOwn: true }, {}, [true, false]],
  ])('closes %s', (_which, one, other, closed) => {
    const streams = [add('router 1', one), add('router 2', other)];
    expect(streams.map(stream => stream.closed)).toEqual([false, false]);
    jest.advanceTimersByTime(2000);
    expect(streams.map(stream => stream.closed)).toEqual(closed);
    expect(errors.map(({ id }) => id)).toEqual(closed.includes(true) ? ['mic'] : []);
    for (const error of errors) expect(error).toBeInstanceOf(DuplicateIdError);
  });
});

test('an old stream whose end is on its way is no second one, and neither are copies', () => {
  const old = add('router 1', { at: 100 });
  const stream = add('router 2', { at: 200, isOwn: true });
  jest.advanceTimersByTime(1000);
  old.close();
  add('router 3', { from: 'router 2' });
  jest.advanceTimersByTime(5000);
  expect([stream.closed, errors]).toEqual([false, []]);
});
