/** The answers to a query name the same records again and again. */
import { expect, test } from '@jest/globals';
import { Answers } from '../../../../src/swarm/dht/answers.ts';
import { signRecord, targetOfRoom } from '../../../../src/swarm/dht/record.ts';
import { Identity } from '../../../../src/swarm/identity.ts';

const target = targetOfRoom('room');
const address = { host: '192.0.2.1', port: 4444 };

function recordOf(url: string, lifetime?: number): Buffer {
  return signRecord(new Identity(), target, { url, serverId: 'server', address }, lifetime);
}

test('a record is read from the first answer that has it', () => {
  const answers = new Answers(target);
  const [first, second] = [recordOf('wss://first.example/'), recordOf('wss://second.example/')];
  const read = (...records: Buffer[]): string[] => answers.read(Buffer.concat(records)).map(({ url }) => url);
  expect(read(first)).toEqual(['wss://first.example/']);
  expect(read(second, first)).toEqual(['wss://second.example/']);
  expect(read(first, second)).toEqual([]);
  expect(answers.read(null)).toEqual([]);
});

test('what is no record for the target, and what takes one back, is none', () => {
  const answers = new Answers(target);
  expect(answers.read(recordOf('wss://back.example/', 0))).toEqual([]);
  const forged = recordOf('wss://forged.example/');
  forged[forged.length - 1]! ^= 1;
  expect(answers.read(forged)).toEqual([]);
  expect(answers.read(Buffer.alloc(3))).toEqual([]);
  const elsewhere = signRecord(new Identity(), targetOfRoom('other'), {
    url: 'wss://a.example/',
    serverId: '',
    address,
  });
  expect(answers.read(elsewhere)).toEqual([]);
});
