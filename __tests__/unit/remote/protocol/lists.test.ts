import { expect, test } from '@jest/globals';
import {
  inFull,
  isListSlot,
  KnownLists,
  LIST_SLOTS,
  ReferredLists,
  ToldLists,
  type ListMessage,
} from '../../../../src/remote/protocol/lists.ts';
import { textOf, write } from '../../../../src/remote/protocol/wireText.ts';

function codecsOf(mimeType: string): object[] {
  return [{ mimeType, payloadType: 100, clockRate: 48_000, channels: 2, parameters: {}, rtcpFeedback: [] }];
}

function stateOf(mimeType: string, ssrc = 1): Record<string, unknown> {
  return {
    kind: 'audio',
    rtpParameters: { codecs: codecsOf(mimeType), headerExtensions: [], encodings: [{ ssrc }] },
    consumableRtpParameters: { codecs: codecsOf(mimeType), headerExtensions: null },
  };
}

/** As it goes over the wire. */
function sent<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Has the list told, which it is when it comes for the second time. */
function told(lists: ReferredLists, mimeType: string): ListMessage {
  lists.shorten({ rtpParameters: { codecs: codecsOf(mimeType) } });
  return lists.shorten({ rtpParameters: { codecs: codecsOf(mimeType) } })[0]!;
}

test('a list that comes again is referred to, and both sides mean the same by it', () => {
  const [referred, known] = [new ReferredLists(), new KnownLists()];
  expect(referred.shorten({ rtpParameters: { codecs: codecsOf('audio/opus') } })).toEqual([]);
  const given = stateOf('audio/opus', 2);
  const { rtpParameters } = given;
  const messages = referred.shorten(given);
  expect([messages[0], given]).toMatchObject([
    { type: 'list', slot: 0, list: codecsOf('audio/opus') },
    { rtpParameters: { codecs: { $list: 0 }, headerExtensions: [], encodings: [{ ssrc: 2 }] } },
  ]);
  // The given state stays as it was.
  expect(rtpParameters).toEqual(stateOf('audio/opus', 2)['rtpParameters']);
  for (const { slot, list } of sent(messages)) known.remember(slot, list, 500);
  const state = sent(given);
  known.complete(state);
  expect(state).toEqual(stateOf('audio/opus', 2));
  const other = sent(given);
  known.complete(other);
  const codecsIn = (of: Record<string, unknown>): unknown => (of['rtpParameters'] as { codecs: unknown }).codecs;
  expect(codecsIn(other)).toBe(codecsIn(state));
  expect(Object.isFrozen(codecsIn(state))).toBe(true);
});

test('a session is told each list once, and again what has taken its slot, or after a snapshot', () => {
  const [lists, session] = [new ReferredLists(), new ToldLists()];
  const message = told(lists, 'audio/opus');
  expect([session.note(message), session.note(message)]).toEqual([true, false]);
  expect(session.note({ ...message })).toBe(true);
  session.clear();
  expect(session.note(message)).toBe(true);
});

test('slots are used again, those of lists that are needed last', () => {
  const lists = new ReferredLists();
  const often = told(lists, 'audio/opus');
  for (let type = 0; type < 3 * LIST_SLOTS; ++type) {
    const { slot } = told(lists, `audio/${type}`);
    expect(isListSlot(slot)).toBe(true);
    expect(told(lists, 'audio/opus')).toBe(often);
    expect(slot).not.toBe(often.slot);
  }
});

test('two lists of one state never have the same slot', () => {
  const lists = new ReferredLists();
  for (let type = 0; type < 2 * LIST_SLOTS; ++type) told(lists, `audio/${type}`);
  for (let type = 0; type < 50; ++type) {
    const state = (): Record<string, unknown> => ({
      rtpParameters: { codecs: codecsOf(`video/${type}`) },
      consumableRtpParameters: { codecs: codecsOf(`text/${type}`) },
    });
    lists.shorten(state());
    const slots = lists.shorten(state()).map(({ slot }) => slot);
    expect(new Set(slots).size).toBe(2);
  }
});

test('who does not understand references gets the state in full', () => {
  const lists = new ReferredLists();
  told(lists, 'audio/opus');
  const state = stateOf('audio/opus');
  const messages = lists.shorten(state);
  const message = { type: 'add', addition: { handle: 1, className: 'Producer', id: 'mic', state } } as const;
  write(message);
  const full = inFull(message, messages);
  expect([full.addition.state, textOf(full)]).toEqual([stateOf('audio/opus'), undefined]);
  expect(message.addition.state).toBe(state);
  expect(state['rtpParameters']).toMatchObject({ codecs: { $list: messages[0]!.slot } });
});

test('lists that are short, or long, or not where lists are expected, are told with the object', () => {
  const lists = new ReferredLists();
  const long = Array.from({ length: 100 }, () => codecsOf('x'.repeat(100))).flat();
  for (const codecs of [[], [{ mimeType: 'audio/opus' }], long, null, undefined, 'none', { $list: 0 }])
    for (let time = 0; time < 3; ++time)
      expect(lists.shorten({ rtpParameters: { codecs }, other: { codecs } })).toEqual([]);
});

test('a client believes no reference to what it was not told, and no list that is too large', () => {
  const known = new KnownLists();
  const refer = (slot: unknown): void => known.complete({ dtlsParameters: { fingerprints: { $list: slot } } });
  for (const slot of [0, -1, '0', null, {}, 'constructor']) expect(() => refer(slot)).toThrow('was never told');
  known.remember(0, [1], 100);
  expect(() => refer(0)).not.toThrow();
  expect(() => known.remember(1, ['x'.repeat(100_000)], 200_000)).toThrow('a list of more than');
  known.clear();
  expect(() => refer(0)).toThrow('was never told');
  for (const state of [{ rtpParameters: null }, { rtpParameters: 5 }, { rtpParameters: { codecs: [null] } }])
    expect(() => known.complete(state)).not.toThrow();
});
