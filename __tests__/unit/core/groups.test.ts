import { expect, test } from '@jest/globals';
import { Groups } from '../../../src/core/groups.ts';

test('members are found by both keys, and by the outer key alone', () => {
  const groups = new Groups<object>();
  const [one, two, three] = [{}, {}, {}];
  groups.add('room', 'mic', one);
  groups.add('room', 'mic', two);
  groups.add('room', 'mic', two);
  groups.add('room', 'camera', three);
  expect([...groups.of('room', 'mic')]).toEqual([one, two]);
  expect([...groups.all('room')]).toEqual([one, two, three]);
  expect([groups.has('room', 'mic'), groups.has('room', 'screen'), groups.has('hall', 'mic')]).toEqual([
    true,
    false,
    false,
  ]);
});

test.each([1, 2, 3])('a group of %d is gone with its last member, and says of each whether it was one', size => {
  const groups = new Groups<object>();
  const members = Array.from({ length: size }, () => ({}));
  for (const member of members) groups.add('room', 'mic', member);
  expect(groups.delete('room', 'mic', {})).toBe(false);
  for (const member of members) {
    expect(groups.has('room', 'mic')).toBe(true);
    expect(groups.delete('room', 'mic', member)).toBe(true);
    expect(groups.delete('room', 'mic', member)).toBe(false);
  }
  expect([groups.has('room', 'mic'), [...groups.of('room', 'mic')], [...groups.all('room')]]).toEqual([false, [], []]);
});
