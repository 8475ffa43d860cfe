import { describe, expect, test } from '@jest/globals';
import { availableParallelism } from 'node:os';
import { mafaldaRouterDefaultOptions, resolveMafaldaRouterOptions } from '../../../src/api/mafaldaRouterOptions.ts';
import type { MafaldaRouterOptions } from '../../../src/api/types.ts';

describe('options of a MafaldaRouter', () => {
  test('have defaults, which nobody can change', () => {
    const { id, ...rest } = resolveMafaldaRouterOptions();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(rest).toEqual({
      maxWorkers: availableParallelism(),
      routerOptions: {},
      watermarkWorker: 60,
      workerSettings: {},
    });
    expect(rest).toEqual(mafaldaRouterDefaultOptions);
    expect(Object.isFrozen(mafaldaRouterDefaultOptions)).toBe(true);
    expect(Object.isFrozen(mafaldaRouterDefaultOptions.routerOptions)).toBe(true);
    expect(resolveMafaldaRouterOptions().id).not.toBe(id);
  });

  test('undefined stands for the default', () => {
    const given = {
      id: undefined,
      maxWorkers: undefined,
      routerOptions: undefined,
      watermarkWorker: undefined,
      workerSettings: undefined,
    };
    const { id, ...rest } = resolveMafaldaRouterOptions(given);
    expect(id).toHaveLength(36);
    expect(rest).toEqual(mafaldaRouterDefaultOptions);
  });

  test('are taken as given', () => {
    const given = {
      id: 'room',
      maxWorkers: 0,
      routerOptions: { mediaCodecs: [] },
      watermarkWorker: 0,
      workerSettings: { logLevel: 'warn' },
    } as const;
    expect(resolveMafaldaRouterOptions(given as unknown as MafaldaRouterOptions)).toEqual(given);
  });

  test.each([
    ['id', ''],
    ['id', 5],
    ['id', null],
    ['maxWorkers', -1],
    ['maxWorkers', 1.5],
    ['maxWorkers', NaN],
    ['maxWorkers', Infinity],
    ['maxWorkers', '2'],
    ['watermarkWorker', -1],
    ['watermarkWorker', NaN],
    ['watermarkWorker', '60'],
    ['watermarkWorker', null],
    ['routerOptions', null],
    ['routerOptions', 'opus'],
    ['workerSettings', null],
    ['workerSettings', () => undefined],
  ])('%s: %p is refused by name', (name, value) => {
    const resolve = (): unknown => resolveMafaldaRouterOptions({ [name]: value });
    expect(resolve).toThrow(TypeError);
    expect(resolve).toThrow(name);
  });

  test('unknown ones are refused by name, and the known ones told', () => {
    const resolve = (): unknown => resolveMafaldaRouterOptions({ maxWorker: 1, watermark: 2 } as MafaldaRouterOptions);
    expect(resolve).toThrow(TypeError);
    expect(resolve).toThrow(/unknown option maxWorker, watermark, do you mean maxWorkers\?; known are id, maxWorkers/);
  });

  test.each([null, 'id', 5])('%p in their place is refused', options => {
    expect(() => resolveMafaldaRouterOptions(options as unknown as MafaldaRouterOptions)).toThrow(
      /options must be an object/,
    );
  });
});
