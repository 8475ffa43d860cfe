import { expect, test } from '@jest/globals';
import { MemoryAccount, MemoryBudget } from '../../../../src/remote/protocol/memory.ts';

test('an account is over its own limit with more bytes than that, those included that would be added', () => {
  const account = new MemoryAccount(100);
  account.add(100);
  expect([account.isOver(), account.isOver(1), account.isOver(-1)]).toEqual([false, true, false]);
});

test('when the budget is exceeded, accounts with more than an equal share are over, and no others', () => {
  const budget = new MemoryBudget(100);
  const [large, small] = [budget.open(1000), budget.open(1000)];
  large.add(90);
  small.add(10);
  expect([large.isOver(), small.isOver()]).toEqual([false, false]);
  small.add(5);
  expect([large.isOver(), small.isOver()]).toEqual([true, false]);
});

test('a closed account returns its bytes and its share, once, and counts nothing more', () => {
  const budget = new MemoryBudget(100);
  const [left, staying] = [budget.open(1000), budget.open(1000)];
  left.add(80);
  staying.add(60);
  left.close();
  left.close();
  left.add(80);
  expect([budget.bytes, staying.isOver()]).toEqual([60, false]);
});
