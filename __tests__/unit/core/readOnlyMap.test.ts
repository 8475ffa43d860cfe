import { describe, expect, test } from '@jest/globals';
import { ReadOnlyMap } from '../../../src/core/readOnlyMap.ts';

describe('ReadOnlyMap', () => {
  const map = new Map([
    ['a', 1],
    ['b', 2],
  ]);
  const view = new ReadOnlyMap(map);

  test('reads as a Map does', () => {
    expect([view.get('a'), view.get('z'), view.has('b'), view.has('z'), view.size]).toEqual([
      1,
      undefined,
      true,
      false,
      2,
    ]);
    expect([...view]).toEqual([...map]);
    expect([...view.keys()]).toEqual(['a', 'b']);
    expect([...view.values()]).toEqual([1, 2]);
    expect([...view.entries()]).toEqual([...map.entries()]);
    expect(Object.prototype.toString.call(view)).toBe('[object ReadOnlyMap]');
  });

  test('forEach() hands over the view, not the Map behind it', () => {
    const seen: unknown[] = [];
    const self = {};
    view.forEach(function (this: unknown, value, key, shown) {
      seen.push([value, key, shown === view, this === self]);
    }, self);
    expect(seen).toEqual([
      [1, 'a', true, true],
      [2, 'b', true, true],
    ]);
  });

  test('is always current', () => {
    const changing = new Map([[1, 1]]);
    const shown = new ReadOnlyMap(changing);
    changing.set(2, 2);
    changing.delete(1);
    expect([...shown]).toEqual([[2, 2]]);
  });

  test.each(['set', 'delete', 'clear'] as const)('%s() throws', name => {
    expect(() => view[name]()).toThrow(TypeError);
    expect(map.size).toBe(2);
  });

  test('the Map behind it can’t be got at', () => {
    expect(Object.values(view)).toEqual([]);
    expect(() => Map.prototype.set.call(view as unknown as Map<string, number>, 'c', 3)).toThrow(TypeError);
  });
});
