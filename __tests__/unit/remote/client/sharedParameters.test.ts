import { expect, test } from '@jest/globals';
import { SharedParameters } from '../../../../src/remote/client/sharedParameters.ts';

function parametersOf(mimeType: string, ssrc: number) {
  return {
    codecs: [{ mimeType, payloadType: 100, parameters: {} }],
    headerExtensions: [{ uri: 'urn:mid', id: 1 }],
    encodings: [{ ssrc }],
  };
}

test('equal lists become the same one, wherever they are, and others stay', () => {
  const shared = new SharedParameters();
  const first = {
    rtpParameters: parametersOf('audio/opus', 1),
    consumableRtpParameters: parametersOf('audio/opus', 2),
  };
  const second = { rtpParameters: parametersOf('audio/opus', 3), paused: false };
  const other = { rtpParameters: parametersOf('video/VP8', 4) };
  for (const state of [first, second, other]) shared.share(state);
  expect(second).toEqual({ rtpParameters: parametersOf('audio/opus', 3), paused: false });
  expect(other).toEqual({ rtpParameters: parametersOf('video/VP8', 4) });
  expect(second.rtpParameters.codecs).toBe(first.rtpParameters.codecs);
  expect(first.consumableRtpParameters.codecs).toBe(first.rtpParameters.codecs);
  expect(other.rtpParameters.headerExtensions).toBe(first.rtpParameters.headerExtensions);
  expect(other.rtpParameters.codecs).not.toBe(first.rtpParameters.codecs);
  expect(second.rtpParameters.encodings).not.toBe(first.rtpParameters.encodings);
});

test('only so many are known, those that were met last, and nothing is expected of a state', () => {
  const shared = new SharedParameters();
  const often = { rtpParameters: parametersOf('audio/opus', 0) };
  shared.share(often);
  for (let type = 0; type < 100; ++type) {
    shared.share({ rtpParameters: parametersOf(`audio/${type}`, type) });
    const again = { rtpParameters: parametersOf('audio/opus', type) };
    shared.share(again);
    expect(again.rtpParameters.codecs).toBe(often.rtpParameters.codecs);
  }
  for (const rtpParameters of [null, undefined, 5, [], {}, { codecs: 'none', headerExtensions: null }])
    shared.share({ rtpParameters });
});
