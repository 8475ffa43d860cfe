import { expect, test } from '@jest/globals';
import { Multimap } from '../../../src/core/multimap.ts';

test('values are found by their key, in their order and once each', () => {
  const nodes = new Multimap<string, string>();
  for (const node of ['a', 'b', 'b', 'a', 'c']) nodes.add('room', node);
  nodes.add('hall', 'b');
  expect([nodes.get('room'), nodes.get('hall'), nodes.get('cellar')]).toEqual([['a', 'b', 'c'], ['b'], []]);
  expect([nodes.size, [...nodes.keys()]]).toEqual([2, ['room', 'hall']]);
  expect([...nodes.values()]).toEqual(['a', 'b', 'c', 'b']);
  nodes.clear();
  expect([nodes.size, nodes.get('room')]).toEqual([0, []]);
});

test.each([1, 2, 3])('a key with %d values is gone with its last one', size => {
  const values = new Multimap<string, object>();
  const members = Array.from({ length: size }, () => ({}));
  for (const member of members) values.add('room', member);
  values.delete('room', {});
  values.delete('hall', members[0]!);
  for (const member of members) {
    expect(values.has('room')).toBe(true);
    values.delete('room', member);
    values.delete('room', member);
  }
  expect([values.has('room'), values.size, values.get('room')]).toEqual([false, 0, []]);
});
