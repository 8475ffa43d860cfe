import { expect, test } from '@jest/globals';
import { AwaitedStreams } from '../../../../src/remote/server/awaitedStreams.ts';

const accept = (id: unknown): { method: string; args: unknown[] } => ({
  method: 'acceptPipe',
  args: [{ routerId: 'near', stream: { id } }],
});

test.each([
  ['consume', { producerId: 'mic' }],
  ['consumeData', { dataProducerId: 'mic' }],
  ['addProducer', { producerId: 'mic' }],
])('a stream is waited for while %s() has no answer, however many do', (method, options) => {
  const streams = new AwaitedStreams();
  expect(streams.isFollowed(accept('mic'))).toBe(false);
  const answered = [streams.begin({ method, args: [options] }), streams.begin({ method, args: [options] })];
  expect([streams.isFollowed(accept('mic')), streams.isFollowed(accept('camera'))]).toEqual([true, false]);
  answered[0]!();
  expect(streams.isFollowed(accept('mic'))).toBe(true);
  answered[1]!();
  expect(streams.isFollowed(accept('mic'))).toBe(false);
});

test('other calls wait for no stream, nor do malformed ones', () => {
  const streams = new AwaitedStreams();
  streams.begin({ method: 'produce', args: [{ producerId: 'mic' }] });
  for (const args of [[], [null], ['mic'], [{ producerId: 5 }], [{}]]) streams.begin({ method: 'consume', args })();
  expect(streams.isFollowed(accept('mic'))).toBe(false);
  streams.begin({ method: 'consume', args: [{ producerId: 'mic' }] });
  for (const args of [[], [null], [{}], [{ stream: null }], [{ stream: {} }]])
    expect(streams.isFollowed({ method: 'acceptPipe', args })).toBe(false);
  expect(streams.isFollowed({ ...accept('mic'), method: 'offerPipe' })).toBe(false);
});
