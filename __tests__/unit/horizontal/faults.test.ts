import { expect, test } from '@jest/globals';
import { NotFoundError } from 'mediasoup/errors';
import { LimitError, NodeUnavailableError, WorkerBudgetError } from '../../../src/index.ts';
import type { ClusterNode } from '../../../src/horizontal/clusterNode.ts';
import { failureOf, isCallersFault } from '../../../src/horizontal/faults.ts';

const failures = (...errors: Error[]): Map<ClusterNode, Error> =>
  new Map(errors.map((error, index) => [{ id: `node-${index}` } as ClusterNode, error]));

test.each([new TypeError('x'), new RangeError('x'), new NotFoundError('x')])('%p is the caller’s', error => {
  expect(isCallersFault(error)).toBe(true);
});

test.each([
  new Error('no more available ports'),
  new WorkerBudgetError('x'),
  new LimitError('x', { limit: 'objects', max: 1 }),
])('%p is the node’s', error => {
  expect(isCallersFault(error)).toBe(false);
});

test('an error of which all nodes say the same is passed on', () => {
  const first = new WorkerBudgetError('first');
  expect(failureOf(failures(first, new WorkerBudgetError('second')))).toBe(first);
});

test('else the error has those of all nodes', () => {
  const [port, budget] = [new Error('no more available ports'), new WorkerBudgetError('used up')];
  const failure = failureOf(failures(port, budget));
  expect(failure).toBeInstanceOf(NodeUnavailableError);
  expect(failure).toMatchObject({ causes: { 'node-0': port, 'node-1': budget } });
  expect(failure.message).toMatch(/node-0: no more available ports; node-1: used up/);
});
