import { expect, test } from '@jest/globals';
import { createOptions, isCreateMethod, separatePlacement } from '../../../src/api/createOptions.ts';
import type { Placement } from '../../../src/api/placement.ts';
import { mafaldaRouterCreates } from '../../../src/remote/protocol/calls.ts';

test('are known for everything that a MafaldaRouter creates', () => {
  expect(Object.keys(createOptions).sort()).toEqual([...mafaldaRouterCreates].sort());
  expect([isCreateMethod('createDirectTransport'), isCreateMethod('toString'), isCreateMethod('createRouter')]).toEqual(
    [true, false, false],
  );
});

test('are separated from the placement, and the caller’s own object where there is none', () => {
  const options: { appData: object; placement?: Placement } = { appData: {} };
  expect(separatePlacement('createDirectTransport', options).rest).toBe(options);
  const placement = { region: 'eu' };
  expect(separatePlacement('createDirectTransport', { ...options, placement })).toEqual({ rest: options, placement });
  expect(separatePlacement('createDirectTransport', { placement: undefined }).rest).toEqual({});
});
