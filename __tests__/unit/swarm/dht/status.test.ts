/** The status of a peer crosses the wire, and anything else is not taken for one. */
import { expect, test } from '@jest/globals';
import type { NodeRecord } from '../../../../src/horizontal/directory/directory.ts';
import { decodeStatus, encodeStatus } from '../../../../src/swarm/dht/status.ts';
import { Identity } from '../../../../src/swarm/identity.ts';

const record = { url: 'wss://media-1.example/', serverId: 'a', labels: {}, load: 12.5, draining: false };
const identity = new Identity();
const fingerprint = Array.from({ length: 32 }, (_, index) => (index + 200).toString(16).slice(-2).toUpperCase()).join(
  ':',
);
const NOW = 1_800_000_000_000;

const encoded = (servers: readonly NodeRecord[]): Buffer => encodeStatus(identity, { servers, fingerprint }, NOW);
/** Signs anything. */
function signed(body: string): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([identity.sign(Buffer.concat([Buffer.from('mafalda swarm status '), bytes])), bytes]);
}

test('servers are told with what a choice needs, and by whom', () => {
  const servers = [record, { ...record, region: 'eu', labels: { gpu: 'none' } }];
  expect(decodeStatus(encoded(servers), NOW)).toEqual({ peerId: identity.id, fingerprint, servers });
  expect(decodeStatus(encoded([]), NOW)).toMatchObject({ servers: [] });
  expect(decodeStatus(encodeStatus(identity, { servers, fingerprint: undefined }))).toMatchObject({ servers });
});

test('each byte counts, and the time', () => {
  const bytes = encoded([record]);
  for (let index = 0; index < bytes.length; ++index) {
    const changed = Buffer.from(bytes);
    changed[index]! ^= 1;
    expect(decodeStatus(changed, NOW)).toBeUndefined();
  }
  expect(decodeStatus(bytes, NOW + 60_000)).toBeDefined();
  expect(decodeStatus(bytes, NOW + 60_001)).toBeUndefined();
  expect(decodeStatus(bytes, NOW - 60_001)).toBeUndefined();
});

test('records that are none are left out, and a list that is longer than a peer has servers', () => {
  const status = { peerId: identity.id, time: NOW, servers: [null, { ...record, load: -1 }, record, 'server', record] };
  expect(decodeStatus(signed(JSON.stringify(status)), NOW)!.servers).toEqual([record]);
});

test.each([
  '{',
  '[]',
  'null',
  '"server"',
  '{}',
  JSON.stringify({ peerId: identity.id, time: NOW, servers: {} }),
  JSON.stringify({ peerId: identity.id, time: null, servers: [] }),
  JSON.stringify({ peerId: identity.id, time: NOW, servers: [], cert: 5 }),
])('%s is no status', text => {
  expect(decodeStatus(signed(text), NOW)).toBeUndefined();
});

test('a status that is too large for a packet is refused', () => {
  expect(() => encoded([{ ...record, labels: { long: 'a'.repeat(1000) } }])).toThrow(RangeError);
});
