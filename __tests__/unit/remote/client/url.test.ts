import { expect, test } from '@jest/globals';
import { addressOf } from '../../../../src/remote/client/url.ts';

test.each([
  ['ws://media-1:4443', 'http://media-1:4443', '/mafalda'],
  ['wss://media-1.example', 'https://media-1.example', '/mafalda'],
  ['wss://media-1.example/', 'https://media-1.example', '/mafalda'],
  ['https://media-1.example/sfu/', 'https://media-1.example', '/sfu'],
  ['ws://[::1]:4443/a/b', 'http://[::1]:4443', '/a/b'],
])('%s is %s with the path %s', (url, origin, path) => {
  expect(addressOf(url)).toEqual({ origin, path });
});

test('a path of the URL comes before that of the option', () => {
  expect(addressOf('ws://media-1/own', '/given').path).toBe('/own');
  expect(addressOf('ws://media-1', '/given').path).toBe('/given');
});

test.each(['media-1:4443', 'ftp://media-1', '', 'wss://', 'wss://user:secret@media-1', 'wss://media-1/?token=secret'])(
  '%p is refused, and no secret is repeated',
  url => {
    expect(() => addressOf(url)).toThrow(TypeError);
    if (!url.includes('@')) return;
    expect(() => addressOf(url)).not.toThrow(/secret/);
  },
);
