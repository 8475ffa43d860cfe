import { expect, test } from '@jest/globals';
import { Outage } from '../../../src/redis/outage.ts';

test('an outage is told of once, and when all its reasons are over', () => {
  const told: string[] = [];
  const outage = new Outage(
    ({ message }) => told.push(message),
    () => told.push('over'),
  );
  outage.end('connection');
  outage.begin('connection', new Error('no connection'));
  outage.begin('connection', new Error('no connection, still'));
  outage.begin('records', new Error('no records'));
  outage.end('connection');
  expect(told).toEqual(['no connection']);
  outage.end('records');
  outage.end('records');
  outage.begin('records', new Error('no records, again'));
  expect(told).toEqual(['no connection', 'over', 'no records, again']);
});
