/** Addresses of peers are read as people write them. */
import { expect, test } from '@jest/globals';
import { parseAddress, toText } from '../../../../src/swarm/dht/address.ts';

test.each(['media-1.example:4444', '192.0.2.1:1', 'localhost:65535'])('%s is an address', text => {
  const address = parseAddress(text)!;
  expect(toText(address)).toBe(text);
});

test.each(['', 'media-1.example', ':4444', 'media-1.example:0', 'media-1.example:65536', 'wss://media-1.example:4444'])(
  '%p is none',
  text => {
    expect(parseAddress(text)).toBeUndefined();
  },
);

test.each(['[2001:db8::1]:4444', '2001:db8::1:4444', 'user@media-1.example:4444'])('%s is none', text => {
  expect(parseAddress(text)).toBeUndefined();
});
