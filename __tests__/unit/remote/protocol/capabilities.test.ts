import { describe, expect, jest, test } from '@jest/globals';
import {
  EncodedCapabilities,
  CAPABILITY_SLOTS,
  ReceivedCapabilities,
  MAX_CAPABILITIES,
  SentCapabilities,
} from '../../../../src/remote/protocol/capabilities.ts';

type Options = { rtpCapabilities: Record<string, unknown> };

/** Both sides, with the wire in between. */
function pair(accept: (encoded: unknown) => unknown = encoded => encoded) {
  const heard = new ReceivedCapabilities(accept);
  const say = jest.fn((slot: number, rtpCapabilities: unknown) =>
    heard.remember(slot, JSON.parse(JSON.stringify(rtpCapabilities))),
  );
  const said = new SentCapabilities(say);
  const send = (args: unknown[]): unknown[] => JSON.parse(JSON.stringify(said.shorten(args))) as unknown[];
  return { heard, said, say, send };
}

const capabilities = (name: string): { codecs: unknown[] } => ({ codecs: [{ mimeType: name }] });

describe('RTP capabilities on their way', () => {
  test('are said once, however often they are given, and by whichever object', () => {
    const { heard, say, send } = pair();
    for (const producerId of ['a', 'b', 'c']) {
      const sent = send([{ producerId, rtpCapabilities: capabilities('one') }, 'more']);
      expect(JSON.stringify(sent)).not.toContain('mimeType');
      expect(heard.complete(sent)).toEqual([{ producerId, rtpCapabilities: capabilities('one') }, 'more']);
    }
    expect(say).toHaveBeenCalledTimes(1);
  });

  test('leave everything else as it is', () => {
    const { heard, say, send } = pair();
    for (const args of [
      [],
      ['text'],
      [null],
      [{ rtpCapabilities: 'text' }],
      [{ rtpCapabilities: null }],
      [{ other: capabilities('x') }],
    ]) {
      expect(heard.complete(send(args))).toEqual(args);
    }
    expect(say).not.toHaveBeenCalled();
  });

  test('are not changed, neither by who is asked nor for who asks', () => {
    const { heard, send } = pair();
    const args = [{ rtpCapabilities: capabilities('one') }];
    const [options] = heard.complete(send(args)) as [Options];
    expect(args).toEqual([{ rtpCapabilities: capabilities('one') }]);
    expect(() => ((options.rtpCapabilities['codecs'] as Record<string, unknown>[])[0]!['mimeType'] = 'other')).toThrow(
      TypeError,
    );
  });

  test('push out those that were used least recently', () => {
    const { heard, say, send } = pair();
    const use = (index: number): unknown =>
      (heard.complete(send([{ rtpCapabilities: capabilities(String(index)) }])) as [Options])[0].rtpCapabilities;
    for (let index = 0; index < CAPABILITY_SLOTS; ++index) use(index);
    use(0);
    expect(say).toHaveBeenCalledTimes(CAPABILITY_SLOTS);
    expect(use(CAPABILITY_SLOTS)).toEqual(capabilities(String(CAPABILITY_SLOTS)));
    expect(say).toHaveBeenLastCalledWith(1, expect.anything());
    for (const index of [0, 1, 2]) expect(use(index)).toEqual(capabilities(String(index)));
    expect(say.mock.calls.slice(CAPABILITY_SLOTS).map(([slot]) => slot)).toEqual([1, 2, 3]);
  });

  test('go along with the call if they are too large to be remembered', () => {
    const { say, send } = pair();
    const args = [{ rtpCapabilities: { uri: 'x'.repeat(MAX_CAPABILITIES) } }];
    expect(send(args)).toEqual(args);
    expect(say).not.toHaveBeenCalled();
  });

  test('that can’t be said take nobody’s place', () => {
    const { say, said, send } = pair();
    for (let index = 0; index < CAPABILITY_SLOTS; ++index) send([{ rtpCapabilities: capabilities(String(index)) }]);
    say.mockImplementationOnce(() => {
      throw new RangeError('too large');
    });
    expect(() => said.shorten([{ rtpCapabilities: capabilities('other') }])).toThrow(RangeError);
    expect(send([{ rtpCapabilities: capabilities('0') }])).toEqual([{ rtpCapabilities: { $capabilities: 0 } }]);
  });

  test('are looked at once, and it is the calls which fail if they can’t be used', () => {
    const accept = jest.fn((encoded: unknown) => {
      if (!Array.isArray((encoded as Options['rtpCapabilities'])['codecs'])) throw new TypeError('these are none');
      return encoded;
    });
    const { heard } = pair(accept);
    const use = (slot: unknown): unknown[] => heard.complete([{ rtpCapabilities: { $capabilities: slot } }]);
    heard.remember(0, capabilities('one'));
    heard.remember(1, { codecs: 'none' });
    heard.remember(2, capabilities('x'.repeat(MAX_CAPABILITIES)));
    use(0);
    use(0);
    expect(accept).toHaveBeenCalledTimes(3);
    for (const slot of [1, 3, '0', null]) expect(() => use(slot)).toThrow(TypeError);
    expect(() => use(2)).toThrow(RangeError);
    heard.remember(1, capabilities('two'));
    expect(use(1)).toEqual([{ rtpCapabilities: capabilities('two') }]);
  });
});

describe('what is encoded for the same object', () => {
  const encode = (args: unknown[]): unknown[] => JSON.parse(JSON.stringify(args)) as unknown[];

  test('is encoded once as long as it says the same, and the rest of the options each time', () => {
    const capabilities = new EncodedCapabilities();
    const rtpCapabilities = { codecs: [{ mimeType: 'audio/opus' }] };
    const seen: unknown[][] = [];
    const encodeSeen = (args: unknown[]): unknown[] => {
      seen.push(args);
      return encode(args);
    };
    const [one, other] = ['a', 'b'].map(producerId =>
      capabilities.encode([{ producerId, rtpCapabilities }], encodeSeen),
    ) as [[{ rtpCapabilities: object }], unknown[]];
    expect(other).toEqual([{ producerId: 'b', rtpCapabilities }]);
    expect((other[0] as { rtpCapabilities: object }).rtpCapabilities).toBe(one[0].rtpCapabilities);
    expect(one[0].rtpCapabilities).not.toBe(rtpCapabilities);
    expect(seen[1]).toEqual([{ producerId: 'b' }]);
  });

  test('is encoded anew when the application has changed it', () => {
    const capabilities = new EncodedCapabilities();
    const rtpCapabilities = { codecs: [{ mimeType: 'audio/opus', parameters: {} as Record<string, number> }] };
    const first = capabilities.encode([{ rtpCapabilities }], encode);
    rtpCapabilities.codecs[0]!.parameters['useinbandfec'] = 1;
    expect(capabilities.encode([{ rtpCapabilities }], encode)).toEqual([{ rtpCapabilities }]);
    expect(first).toEqual([{ rtpCapabilities: { codecs: [{ mimeType: 'audio/opus', parameters: {} }] } }]);
  });

  test('is encoded each time where that makes it another one', () => {
    const capabilities = new EncodedCapabilities();
    const rtpCapabilities = { codecs: [], bytes: 1n };
    const encodeBig = (): unknown[] => [{ rtpCapabilities: { codecs: [], bytes: { $bigint: '1' } } }];
    const twice = [1, 2].map(() => capabilities.encode([{ rtpCapabilities }], encodeBig));
    expect(twice[0]).toEqual(twice[1]);
    expect(twice[0]).toEqual(encodeBig());
  });
});
