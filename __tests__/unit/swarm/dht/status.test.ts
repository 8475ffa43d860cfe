/** The status of a peer crosses the wire, and anything else is not taken for one. */
import { expect, test } from '@jest/globals';
import { decodeStatus, encodeStatus } from '../../../../src/swarm/dht/status.ts';

const record = { url: 'wss://media-1.example/', serverId: 'a', labels: {}, load: 12.5, draining: false };

test('servers are told with what a choice needs', () => {
  const records = [record, { ...record, region: 'eu', labels: { gpu: 'none' } }];
  expect(decodeStatus(encodeStatus(records))).toEqual(records);
  expect(decodeStatus(encodeStatus([]))).toEqual([]);
});

test('records that are none are left out', () => {
  const bytes = Buffer.from(JSON.stringify([null, { ...record, load: -1 }, record, 'server']));
  expect(decodeStatus(bytes)).toEqual([record]);
});

test.each(['{', '{}', 'null', '"server"'])('%s is no status', text => {
  expect(decodeStatus(Buffer.from(text))).toBeUndefined();
});

test('a status that is too large for a packet is refused', () => {
  expect(() => encodeStatus([{ ...record, labels: { long: 'a'.repeat(1000) } }])).toThrow(RangeError);
});
