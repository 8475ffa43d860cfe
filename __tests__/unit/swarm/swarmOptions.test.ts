/** Options of a MafaldaSwarm that can't be used are refused by name. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { resolveSwarmOptions, resolveTrustOptions, type MafaldaSwarmOptions } from '../../../src/swarm/swarmOptions.ts';

const good: MafaldaSwarmOptions = {
  bootstrap: ['media-1.example:4444', '192.0.2.1:4444'],
  key: randomBytes(32),
  port: 4444,
  url: 'ws://media-2.example:4444',
};

test.each<Partial<MafaldaSwarmOptions>>([
  {},
  { bootstrap: [] },
  { key: [randomBytes(32), new Uint8Array(32)] },
  { url: 'wss://media-2.example', cert: 'certificate', certKey: 'key' },
  { url: 'wss://media-2.example', server: createServer() },
  { host: '127.0.0.1', trusted: ['peer'], revoked: [] },
])('%p are taken', given => {
  expect(() => resolveSwarmOptions({ ...good, ...given })).not.toThrow();
});

test.each<[string, object]>([
  ['bootstrap must be an array of addresses', { bootstrap: 'media-1.example:4444' }],
  ['bootstrap[0] must be an address such as', { bootstrap: ['media-1.example'] }],
  ['bootstrap[0] must be an address such as', { bootstrap: ['wss://media-1.example:4444'] }],
  ['key must be the key of the group, 32 bytes', { key: undefined }],
  ['key must be the key of the group, 32 bytes', { key: 'secret' }],
  ['key must be the key of the group, 32 bytes', { key: randomBytes(31) }],
  ['key must be the key of the group, 32 bytes', { key: [] }],
  ['port must be an integer', { port: '4444' }],
  ['port must be an integer', { port: 65_536 }],
  ['url must be the URL of this peer', { url: 'media-2.example' }],
  ['host must be an IPv4 address', { host: 'localhost' }],
  ['cert and certKey must be given together', { url: 'wss://media-2.example', cert: 'certificate' }],
  ['a wss: URL needs cert and certKey', { url: 'wss://media-2.example' }],
  ['cert needs a wss: URL', { cert: 'certificate', certKey: 'key' }],
  ['server and cert exclude each other', { cert: 'certificate', certKey: 'key', server: createServer() }],
  ['trusted must be an array of strings', { trusted: 'peer' }],
  ['revoked[0] must be a string', { revoked: [1] }],
  ['url has more than 255 bytes', { url: `ws://media-2.example/${'a'.repeat(255)}` }],
  ['url, region and labels have together more than 800 bytes', { labels: { long: 'a'.repeat(800) } }],
  ['bootstrap[0] must be an address such as media-1.example:4444, of a name or of IPv4', { bootstrap: ['[::1]:4444'] }],
  ['url has an address of IPv6, and the DHT knows IPv4 only', { url: 'ws://[::1]:4444' }],
  ['peersFile must be a non-empty string', { peersFile: '' }],
  ['do you mean bootstrap', { bootstrp: [] }],
])('%s: %p is refused', (message, given) => {
  const check = (): unknown => resolveSwarmOptions({ ...good, ...given });
  expect(check).toThrow(TypeError);
  expect(check).toThrow(message);
});

test.each<[string, object]>([
  ['key must be the key of the group, 32 bytes', { key: [] }],
  ['trusted must be an array of strings', { trusted: 'peer' }],
  ['do you mean revoked', { revoke: [] }],
])('updateTrust(): %s', (message, given) => {
  expect(() => resolveTrustOptions(given)).toThrow(message);
});
