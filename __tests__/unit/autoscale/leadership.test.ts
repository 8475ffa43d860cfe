import { expect, test } from '@jest/globals';
import { Leadership } from '../../../src/autoscale/leadership.ts';
import type { Lease } from '../../../src/horizontal/directory/lease.ts';

/** A lease whose answers the test gives. */
class AnsweredLease implements Lease {
  readonly duration = 9000;
  asked = 0;
  released = 0;
  answer: () => Promise<number | undefined> = async () => 1;

  acquire(): Promise<number | undefined> {
    ++this.asked;
    return this.answer();
  }

  async release(): Promise<void> {
    ++this.released;
  }
}

test('without a lease everybody leads', async () => {
  const leadership = new Leadership(undefined, () => 0);
  await leadership.refresh();
  expect([leadership.leading, leadership.fence, leadership.renewalMs]).toEqual([true, undefined, undefined]);
  await leadership.release();
});

test('the lease is renewed when a third of it is over, and lasts from when it was asked for', async () => {
  const lease = new AnsweredLease();
  let now = 0;
  const leadership = new Leadership(lease, () => now);
  expect(leadership.leading).toBe(false);
  await leadership.refresh();
  await leadership.refresh();
  expect([leadership.leading, leadership.fence, lease.asked, leadership.renewalMs]).toEqual([true, 1, 1, 3000]);
  now = 3000;
  lease.answer = async () => {
    now = 5000;
    return 1;
  };
  await leadership.refresh();
  now = 11_999;
  expect([leadership.leading, lease.asked]).toEqual([true, 2]);
  now = 12_000;
  expect([leadership.leading, leadership.fence]).toEqual([false, undefined]);
});

test('somebody else has it, or nobody can tell: then it leads as long as its lease lasts', async () => {
  const lease = new AnsweredLease();
  let now = 0;
  const leadership = new Leadership(lease, () => now);
  await leadership.refresh();
  lease.answer = () => Promise.reject(new Error('the directory is away'));
  now = 8999;
  await leadership.refresh();
  expect(leadership.leading).toBe(true);
  now = 12_000;
  lease.answer = async () => 5;
  await leadership.refresh();
  expect([leadership.leading, leadership.fence]).toEqual([true, 5]);
  now = 15_000;
  lease.answer = async () => undefined;
  await leadership.refresh();
  expect([leadership.leading, leadership.fence]).toEqual([false, undefined]);
  await leadership.release();
  expect(lease.released).toBe(1);
});
