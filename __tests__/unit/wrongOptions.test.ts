/** The usual mistakes in what an application gives to the library, and what it is told. */
import { describe, expect, test } from '@jest/globals';
import * as mediasoup from 'mediasoup';
import {
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type RemoteMafaldaServerOptions,
} from '../../src/index.ts';
import { closingAfterEach } from '../helpers/cleanup.ts';

const opened = closingAfterEach();
const mafalda = (): Mafalda => opened(new Mafalda(mediasoup, { workerBudget: false }));

/** What JavaScript lets an application give. */
function given<T>(value: unknown): T {
  return value as T;
}

describe('an application is told', () => {
  test.each<[what: string, mistake: () => unknown, message: string | RegExp]>([
    [
      'of a misspelt option of mediasoup’s',
      () => mafalda().createMafaldaRouter(given({ routerOptions: { mediacodecs: [] } })),
      'createMafaldaRouter(): routerOptions: unknown option mediacodecs, do you mean mediaCodecs?; known are mediaCodecs, appData',
    ],
    [
      'of a port that is a string',
      () => new RemoteMafaldaServer(mafalda(), given({ auth: false, port: '4443' })),
      'RemoteMafaldaServer: port must be an integer from 0 to 65535; it is "4443" (a string)',
    ],
    [
      'of a token that is a number, and not what it is',
      () => new RemoteMafaldaClient('ws://127.0.0.1:9', given({ token: 42 })),
      'RemoteMafaldaClient: token must be a string, or a function of the URL; it is a number',
    ],
    [
      'of a URL that is none',
      () => new RemoteMafaldaClient(given<string>(42)),
      'RemoteMafaldaClient: url must be a URL, or an array of URLs; it is 42 (a number)',
    ],
    [
      'of the same, before there is a node',
      () => new MafaldaHorizontal([], given({ token: 42 })),
      'MafaldaHorizontal: token must be a string, or a function of the URL; it is a number',
    ],
    [
      'of a server of nothing',
      () => new RemoteMafaldaServer(given(undefined), given(undefined)),
      'RemoteMafaldaServer: the first argument must be the Mafalda to serve, such as new Mafalda(mediasoup); it is missing',
    ],
    [
      'of a server without options',
      () => new RemoteMafaldaServer(mafalda(), given(undefined)),
      'RemoteMafaldaServer: options must be an object; it is missing',
    ],
    [
      'of options in the place of the Mafalda',
      () => new RemoteMafaldaServer(given<Mafalda>({ auth: false }), given<RemoteMafaldaServerOptions>(undefined)),
      /the first argument must be the Mafalda to serve.*; it is an object$/,
    ],
    [
      'of one URL in the place of a list',
      () => new MafaldaHorizontal('wss://media-1.example:4443'),
      'MafaldaHorizontal: the first argument must be an array, or another iterable, of URLs and Mafaldas, such as ["wss://media-1.example:4443"]; it is "wss://media-1.example:4443" (a string)',
    ],
    [
      'of no list at all',
      () => new MafaldaHorizontal(given(42)),
      /must be an array, or another iterable, .* such as \['wss:\/\/media-1.example:4443'\]; it is 42 \(a number\)/,
    ],
    [
      'of a host’s name in the place of a URL',
      () => new MafaldaHorizontal(['media-1']),
      /^Invalid URL "media-1": it must be like wss:\/\/media-1.example:4443$/,
    ],
    ['of something else that is no URL', () => new MafaldaHorizontal([given<string>(42)]), /a node must be a URL, or/],
    [
      'of a module that is none',
      () => new Mafalda(given(undefined)),
      "Mafalda: the first argument must be the mediasoup module, as in new Mafalda(await import('mediasoup')); it is missing",
    ],
    [
      'of a listen info without an address',
      () => new Mafalda(mediasoup, given({ listenInfos: [{ protocol: 'udp' }] })),
      'Mafalda: listenInfos[0].ip must be a non-empty string; it is missing',
    ],
    [
      'of a listen info that is misspelt',
      () => new Mafalda(mediasoup, given({ listenInfos: [{ protocol: 'udp', ip: '::', anouncedAddress: 'x' }] })),
      /^Mafalda: listenInfos\[0\]: unknown option anouncedAddress, do you mean announcedAddress\?/,
    ],
  ])('%s', (_what, mistake, message) => {
    expect(mistake).toThrow(TypeError);
    expect(mistake).toThrow(typeof message === 'string' ? new TypeError(message) : message);
  });
});
