import { afterEach, describe, expect, jest, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import { Mafalda } from '../../../src/index.ts';
import { copyingFast, copyOf, isSameData, keepCopy, readingUncopied } from '../../../src/core/copies.ts';

const mediaCodecs = [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }] as const;
const data = { text: 'a', list: [1, undefined, { deep: null }], flag: false, missing: undefined, number: NaN };

describe('copies', () => {
  afterEach(() => void jest.restoreAllMocks());

  test('are those of structuredClone(), and independent', () => {
    const copy = copyOf(data);
    expect(copy).toStrictEqual(structuredClone(data));
    copy.list.push(2);
    expect(data.list).toHaveLength(3);
  });

  test('of what is no plain data are made by structuredClone()', () => {
    const round: { itself?: unknown } = {};
    round.itself = round;
    const copy = copyOf({ round, map: new Map([[1, 2]]), bytes: new Uint8Array([1]) });
    expect((copy.round.itself as typeof round).itself).toBe(copy.round.itself);
    expect(copy.map).toEqual(new Map([[1, 2]]));
    expect(copy.bytes).toEqual(new Uint8Array([1]));
    expect(() => copyOf({ call: () => undefined })).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
  });

  test('a key __proto__ is a key', () => {
    const copy = copyOf(JSON.parse('{ "__proto__": { "poisoned": true } }') as object);
    expect(Object.keys(copy)).toEqual(['__proto__']);
    expect('poisoned' in copy).toBe(false);
  });

  test('structuredClone() is what it was after a call, also after one that throws', () => {
    const before = globalThis.structuredClone;
    const seen = copyingFast(() => globalThis.structuredClone);
    expect(seen).not.toBe(before);
    expect(() =>
      readingUncopied(() => {
        throw new Error('in it');
      }),
    ).toThrow('in it');
    expect(globalThis.structuredClone).toBe(before);
  });

  test('what mediasoup copies for produce() and consume() of a Mafalda is never serialized, and what the application gave stays as it was', async () => {
    const mafalda = new Mafalda(mediasoup, { workerBudget: false });
    try {
      const router = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs: [...mediaCodecs] } });
      const rtpCapabilities = await router.getRtpCapabilities();
      const transport = await router.createDirectTransport();
      const rtpParameters = {
        mid: 'a',
        codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
        encodings: [{ ssrc: 1 }],
      } as const;
      const given = structuredClone({ rtpParameters, rtpCapabilities });
      const clone = jest.spyOn(globalThis, 'structuredClone');
      const { id } = await transport.produce({ kind: 'audio', rtpParameters: given.rtpParameters as never });
      await transport.consume({ producerId: id, rtpCapabilities: given.rtpCapabilities });
      // Scores are small.
      expect(clone.mock.calls.filter(([value]) => JSON.stringify(value).includes('codecs'))).toEqual([]);
      expect(given).toEqual({ rtpParameters, rtpCapabilities });
    } finally {
      await mafalda.close();
    }
  });

  test('of a value with a kept copy are that copy, within the call alone', () => {
    const [value, itself, copy] = [{ a: 1 }, { b: 2 }, { a: 1, more: true }];
    keepCopy(value, copy);
    keepCopy(itself);
    const copies = copyingFast(() => [value, itself, [value]].map(each => structuredClone(each as unknown)));
    expect(copies[0]).toBe(copy);
    expect(copies[1]).toBe(itself);
    expect(copies[2]).toEqual([value]);
    expect(structuredClone(value)).toEqual({ a: 1 });
    expect(readingUncopied(() => structuredClone(value))).toBe(value);
  });
});

test.each([
  [{ a: 1 }, { a: 1 }, true],
  [{ a: 1 }, { a: 1, b: undefined }, true],
  [{ a: 1, b: undefined }, { a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: 1, b: 2 }, { a: 1 }, false],
  [[1, [2]], [1, [2]], true],
  [[1], [1, 2], false],
  [[1, 2], [1, 3], false],
  [[], {}, false],
  [NaN, NaN, true],
  [null, undefined, false],
  [new Date(0), new Date(0), false],
])('whether data is the same: %j and %j', (one, other, same) => {
  expect(isSameData(one, other)).toBe(same);
});
