import { expect, test } from '@jest/globals';
import { nearestName } from '../../../src/api/nearestName.ts';

test.each([
  ['mediacodecs', 'mediaCodecs'],
  ['mediaCodec', 'mediaCodecs'],
  ['prt', 'port'],
  ['prot', 'port'],
  ['opt', undefined],
  ['tokn', 'token'],
  ['sessionTimout', 'sessionTimeout'],
  ['x', undefined],
  ['certificate', undefined],
])('%s means %s', (name, meant) => {
  expect(nearestName(name, ['mediaCodecs', 'port', 'path', 'token', 'sessionTimeout', 'ca', 'cert'])).toBe(meant);
});
