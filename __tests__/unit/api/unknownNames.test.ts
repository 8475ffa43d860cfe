import { expect, test } from '@jest/globals';
import { unknownNames } from '../../../src/api/unknownNames.ts';

test('unknown names are told with the nearest known ones', () => {
  expect(unknownNames({ prot: 1 }, ['port', 'host'])).toBe(
    'unknown option prot, do you mean port?; known are port, host',
  );
  expect(unknownNames({ something: 1 }, ['port'])).toBe('unknown option something; known are port');
});

test('nothing is told where there is nothing unknown', () => {
  for (const options of [{ port: 1 }, { other: undefined }, { former: 1 }, {}, null, 'text', undefined])
    expect(unknownNames(options, ['port'], ['former'])).toBeUndefined();
});

test('a sentence stays short, whatever was given', () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`${index}${'x'.repeat(1000)}`, 1]));
  expect(unknownNames(many, ['port'])!.length).toBeLessThan(400);
});
