import { expect, test } from '@jest/globals';
import { checkedRecord, isNodeUrl } from '../../../../src/horizontal/directory/nodeRecord.ts';

const record = {
  url: 'wss://media-1.example:4443',
  serverId: 'server',
  region: 'eu',
  labels: { disk: 'fast' },
  load: 12.5,
  draining: false,
};

test('a record is taken with its known members', () => {
  expect(checkedRecord({ ...record, evil: 'member', ['__proto__']: { more: 1 } })).toEqual(record);
  const { region, labels, ...least } = record;
  expect([region, labels, checkedRecord(least)]).toEqual(['eu', { disk: 'fast' }, { ...least, labels: {} }]);
});

test.each([
  ['nothing', undefined],
  ['a list', [record]],
  ['another URL', { ...record, url: 'file:///etc/passwd' }],
  ['no id', { ...record, serverId: undefined }],
  ['a long region', { ...record, region: 'x'.repeat(201) }],
  ['labels that are no strings', { ...record, labels: { disk: 1 } }],
  ['too many labels', { ...record, labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, 'x'])) }],
  ['a negative load', { ...record, load: -1 }],
  ['no number as load', { ...record, load: NaN }],
  ['an endless load', { ...record, load: Infinity }],
  ['a text where it is yes or no', { ...record, draining: 'no' }],
])('a record with %s is none', (_, value) => expect(checkedRecord(value)).toBeUndefined());

test('URLs of nodes have no secrets, and nothing after their path', () => {
  const urls = ['ws://127.0.0.1:1', 'https://media.example/mafalda', 'wss://[::1]:4443'];
  expect(urls.filter(isNodeUrl)).toEqual(urls);
  const others = [
    '',
    'media-1.example',
    'redis://media-1.example',
    'wss://user@media-1.example',
    'wss://media-1.example?token=x',
    'wss://media-1.example#x',
    `wss://media-1.example/${'x'.repeat(2048)}`,
    4443,
  ];
  expect(others.filter(isNodeUrl)).toEqual([]);
});
