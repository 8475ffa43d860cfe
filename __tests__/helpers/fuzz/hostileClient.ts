/** What no well-behaved client sends, chosen by a seeded generator so that it can be sent again. */
import type { Callable } from '../../../src/remote/protocol/argumentShapes.ts';
import {
  mafaldaRouterCalls,
  type MafaldaCall,
  type MafaldaRouterCall,
  type MediasoupCall,
} from '../../../src/remote/protocol/calls.ts';
import { descriptionOf, type ClassName } from '../../../src/remote/protocol/classes.ts';
import { membersOf } from '../../../src/remote/protocol/describe.ts';
import type { Frame } from '../rawWebSocket.ts';

type Random = () => number;
type Wire = Record<string, unknown>;

const names = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'then',
  'toJSON',
  'length',
  '$ref',
  '$$ref',
  '_placeholder',
  '',
];

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

function nested(random: Random, depth: number): unknown {
  const wrap = random() < 0.5 ? (value: unknown): unknown => [value] : (value: unknown): unknown => ({ a: value });
  let value: unknown = 'bottom';
  for (let level = 0; level < depth; ++level) value = wrap(value);
  return value;
}

/** JSON.parse() makes of such a key a property, which an object literal would not. */
function poison(random: Random): unknown {
  return JSON.parse(
    pick(random, [
      '{"__proto__":{"polluted":true}}',
      '{"constructor":{"prototype":{"polluted":true}}}',
      '[{"a":{"__proto__":null}}]',
      '{"appData":{"__proto__":{"polluted":true}}}',
      '{"$__proto__":{"polluted":true},"$$__proto__":{"polluted":true}}',
    ]),
  );
}

/** Anything but what is expected. */
export function hostileValue(random: Random): unknown {
  return pick<() => unknown>(random, [
    () =>
      pick(random, [
        null,
        true,
        false,
        0,
        -1,
        1,
        0.5,
        -0.5,
        1e308,
        -1e308,
        2 ** 31,
        2 ** 32,
        2 ** 53,
        2 ** 64,
        Number.MIN_VALUE,
      ]),
    () => pick(random, ['', ' ', 'text', '\0', '\ud800', 'x'.repeat(70_000), ...names]),
    () =>
      pick<unknown>(random, [
        {},
        [],
        [[]],
        [null],
        { length: 1e9 },
        { then: 'x' },
        { toJSON: 'x' },
        { type: 'Buffer', data: [1e9] },
      ]),
    () => ({ [pick(random, names)]: pick<unknown>(random, [7, -1, 0.5, '1', null, {}, true]) }),
    () => ({ $capabilities: pick<unknown>(random, [0, 1, 127, '0', '__proto__']) }),
    () => ({ $ref: Math.floor(random() * 60) - 5 }),
    () =>
      pick<unknown>(random, [
        { $bigint: '12' },
        { $bigint: '9'.repeat(1000) },
        { $bigint: 12 },
        { $undefined: true },
        { $undefined: {} },
      ]),
    () => ({ _placeholder: true, num: pick(random, [9, 0, -1, 0.5, '0', 1e9]) }),
    () => nested(random, pick(random, [20, 33, 400, 1000])),
    () => poison(random),
    () => Buffer.alloc(Math.floor(random() * 2000)),
    () => Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 1e6)),
  ])();
}

/** A copy of which one part, somewhere, is something else. */
export function spoil(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value) || random() < 0.25)
    return hostileValue(random);
  if (Array.isArray(value)) {
    const index = Math.floor(random() * value.length);
    return value.map((element: unknown, at) => (at === index ? spoil(random, element) : element));
  }
  const keys = Object.keys(value);
  const chosen = random() < 0.1 || keys.length === 0 ? pick(random, names.slice(1)) : pick(random, keys);
  return { ...value, [chosen]: spoil(random, (value as Wire)[chosen]) };
}

const opus = {
  mimeType: 'audio/opus',
  payloadType: 111,
  clockRate: 48000,
  channels: 2,
  parameters: { useinbandfec: 1 },
  rtcpFeedback: [],
};
const vp8 = {
  mimeType: 'video/VP8',
  payloadType: 112,
  clockRate: 90000,
  parameters: {},
  rtcpFeedback: [{ type: 'nack', parameter: 'pli' }],
};
const rtpParameters = {
  mid: '0',
  codecs: [opus],
  encodings: [{ ssrc: 1234, dtx: false, maxBitrate: 64_000, scalabilityMode: 'L1T1' }],
  headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1, encrypt: false, parameters: {} }],
  rtcp: { cname: 'x', reducedSize: true },
};
const rtpCapabilities = {
  codecs: [
    {
      kind: 'audio',
      mimeType: 'audio/opus',
      preferredPayloadType: 100,
      clockRate: 48000,
      channels: 2,
      parameters: {},
      rtcpFeedback: [],
    },
  ],
  headerExtensions: [
    {
      kind: 'audio',
      uri: 'urn:ietf:params:rtp-hdrext:sdes:mid',
      preferredId: 1,
      preferredEncrypt: false,
      direction: 'sendrecv',
    },
  ],
};
const listenInfo = {
  protocol: 'udp',
  ip: '127.0.0.1',
  port: 0,
  flags: { ipv6Only: false },
  portRange: { min: 20_000, max: 30_000 },
  sendBufferSize: 0,
};
const link = {
  routerId: 'a',
  remoteRouterId: 'b',
  network: false,
  remote: { transportId: 'c', ip: '127.0.0.1', port: 4 },
  stream: { dataProducerId: 'd' },
};
const piped = { id: 'p', appData: {}, paused: false, kind: 'audio', rtpParameters };

type AnyCall = MafaldaCall | MediasoupCall | MafaldaRouterCall | { [Name in ClassName]: Callable<Name> }[ClassName];

/** A client has no right to the objects of MafaldaRouters that it is not attached to: what it adopts is among these. */
const adoptable = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** Arguments that are right, or nearly, of all that can be called: the compiler names a method that is missing. */
const calls: Readonly<Record<AnyCall, unknown[]>> = {
  createMafaldaRouter: [
    {
      id: 'mine',
      routerOptions: {
        mediaCodecs: [
          { kind: 'audio', ...opus },
          { kind: 'video', ...vp8 },
        ],
      },
      maxWorkers: 2,
      watermarkWorker: 50,
    },
  ],
  findMafaldaRouter: [{ id: 'mine', maxWorkers: 2 }, true],
  listMafaldaRouters: [],
  drain: [],
  undrain: [],
  closeUnconfirmed: [{ mafaldaRouter: 'mine', handles: [1, 2, 3], number: 1 }],
  attach: [],
  leave: [],
  adopt: [adoptable],
  getResourceUsages: [],
  getResourceUsage: [],
  getRtpCapabilities: [],
  dump: [],
  createDirectTransport: [{ appData: { a: 1 }, maxMessageSize: 1000 }],
  createPlainTransport: [
    {
      listenInfo,
      comedia: true,
      rtcpMux: false,
      enableSctp: true,
      enableSrtp: true,
      numSctpStreams: { OS: 10, MIS: 10 },
      appData: {},
    },
  ],
  createWebRtcTransport: [
    {
      listenInfos: [listenInfo],
      enableUdp: true,
      initialAvailableOutgoingBitrate: 1e6,
      enableSctp: true,
      iceConsentTimeout: 20,
    },
  ],
  createPipeTransport: [
    {
      listenInfo,
      enableSctp: true,
      enableRtx: true,
      enableSrtp: true,
      appData: { mafaldaLink: { remoteRouterId: 'x' } },
    },
  ],
  createActiveSpeakerObserver: [{ interval: 300, appData: {} }],
  createAudioLevelObserver: [{ maxEntries: 1, threshold: -80, interval: 1000 }],
  openLink: [link],
  offerPipe: [{ ...link, asleep: true, ssrcs: { media: 123_456_789, rtx: 234_567_891 } }],
  connectLink: [link],
  acceptPipe: [{ ...link, stream: piped }],
  confirmPipes: [{ routerId: 'r', remoteRouterId: 'x', link: 'media', consumerIds: ['c'] }],
  leaveLinks: [{ routerId: 'r', remoteRouterId: 'x', consumerIds: ['c'], isLast: true }],
  produce: [{ id: 'p', kind: 'audio', rtpParameters, paused: false, keyFrameRequestDelay: 100, appData: {} }],
  consume: [
    {
      producerId: 'p',
      rtpCapabilities,
      paused: true,
      preferredLayers: { spatialLayer: 1, temporalLayer: 1 },
      ignoreDtx: true,
      pipe: false,
      appData: {},
    },
  ],
  produceData: [
    { id: 'd', sctpStreamParameters: { streamId: 1, ordered: true }, label: 'l', protocol: 'p', appData: {} },
  ],
  consumeData: [{ dataProducerId: 'd', ordered: false, maxRetransmits: 3, subchannels: [1, 2], appData: {} }],
  connect: [
    {
      ip: '127.0.0.1',
      port: 5000,
      rtcpPort: 5001,
      dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: 'AA:BB' }] },
      srtpParameters: { cryptoSuite: 'AES_CM_128_HMAC_SHA1_80', keyBase64: 'ZnQ3eWJraDg0d3ZoYzM5cXN1Y2pnaHU5NWxrZTVv' },
    },
  ],
  setMaxIncomingBitrate: [100_000],
  setMaxOutgoingBitrate: [100_000],
  setMinOutgoingBitrate: [10_000],
  restartIce: [],
  getStats: [],
  enableTraceEvent: [['rtp', 'keyframe', 'bwe', 'probation']],
  pause: [],
  resume: [],
  setPreferredLayers: [{ spatialLayer: 1, temporalLayer: 1 }],
  setPriority: [10],
  unsetPriority: [],
  requestKeyFrame: [],
  addProducer: [{ producerId: 'p' }],
  removeProducer: [{ producerId: 'p' }],
  setBufferedAmountLowThreshold: [100],
  setSubchannels: [[1, 2]],
  getBufferedAmount: [],
  addSubchannel: [3],
  removeSubchannel: [1],
  send: [Buffer.from('x'), 51],
  sendRtcp: [Buffer.from('x')],
  createWorker: [{ logLevel: 'error', logTags: ['info'], rtcMinPort: 20_000, rtcMaxPort: 30_000, appData: {} }],
  updateSettings: [{ logLevel: 'warn', logTags: ['rtp'] }],
  createWebRtcServer: [{ listenInfos: [listenInfo], appData: {} }],
  createRouter: [{ mediaCodecs: [{ kind: 'audio', ...opus }], appData: {} }],
  pipeToRouter: [
    {
      dataProducerId: 'd',
      router: {},
      keepId: true,
      listenInfo,
      enableRtx: false,
      enableSrtp: false,
      enableSctp: true,
    },
  ],
  updateMediaCodecs: [[{ kind: 'audio', ...opus }]],
  close: [],
};

const neverMethods = [
  'emit',
  'on',
  'safeEmit',
  'removeAllListeners',
  'getInternal',
  'routerClosed',
  'addPipeTransportPair',
  'tree',
  'release',
  '#x',
  ...names,
];

/** What makes the objects that the rest is then done to. */
const beginning: [target: unknown, method: AnyCall][] = [
  [0, 'createMafaldaRouter'],
  ['mine', 'createDirectTransport'],
  ['mine', 'createPlainTransport'],
  ['mine', 'createAudioLevelObserver'],
];

/** An object that the client has been told of. */
export interface Known {
  handle: number;
  className: ClassName;
}

/** A message of a client in which something is wrong, mostly: or else the next ones would have nothing to work on. */
export function hostileMessage(random: Random, id: number, known: readonly Known[]): unknown {
  const first = beginning[id - 1];
  if (first && random() < 0.95) return { type: 'call', id, target: first[0], method: first[1], args: calls[first[1]] };
  const object = known.length > 0 && random() < 0.9 ? pick(random, known) : undefined;
  const handle = object?.handle ?? pick(random, [-1, 0.5, 1, 2, 3, 4, 5, 6, 1e9, 2 ** 53]);
  if (random() < 0.05)
    return {
      type: 'listen',
      handle,
      name: pick(random, ['message', 'rtp', 'rtcp', ...names]),
      listening: random() < 0.7,
    };
  if (random() < 0.02) return { type: 'followRooms', handle };
  if (random() < 0.03)
    return { type: 'call', id, target: 'mine', method: 'adopt', args: hostileAdoption(random, known) };
  if (random() < 0.03) {
    const args = random() < 0.3 ? calls.findMafaldaRouter : spoilOne(random, hostileQuestion(random));
    return { type: 'call', id, target: 0, method: 'findMafaldaRouter', args };
  }
  // A process each: not often.
  if (random() < 0.001)
    return {
      type: 'call',
      id,
      target: -1,
      method: 'createWorker',
      args: random() < 0.5 ? calls.createWorker : spoilOne(random, calls.createWorker),
    };
  if (random() < 0.05)
    return {
      type: 'capabilities',
      slot: pick(random, [0, 1, 127, 128, -1, 0.5]),
      rtpCapabilities: spoil(random, rtpCapabilities),
    };
  const [target, method] =
    random() < 0.8
      ? fitting(random, object)
      : anyCall(random, pick(random, [0, handle, 'mine', 'theirs', '__proto__', -2]));
  const right = withReference(random, method, known);
  const message = {
    type: pick(random, ['call', 'call', 'call', 'send']),
    id,
    target,
    method,
    args: random() < 0.4 ? right : spoilOne(random, right),
    key: hostileKey(random),
  };
  const chance = random();
  return chance < 0.98 ? message : chance < 0.99 ? spoil(random, message) : hostileValue(random);
}

/** Handles of its own, of others in the same MafaldaRouter, of others elsewhere, and of nothing. */
function hostileAdoption(random: Random, known: readonly Known[]): unknown[] {
  const some = known.filter(() => random() < 0.5).map(({ handle }) => handle);
  const right = pick<unknown[]>(random, [
    [some],
    [[...some, ...some]],
    [adoptable],
    [Array.from({ length: pick(random, [1000, 1001]) }, (_, index) => 1e9 + index)],
  ]);
  return random() < 0.7 ? right : spoilOne(random, right);
}

/** A question for a MafaldaRouter that is not there, mostly another one each time. */
function hostileQuestion(random: Random): unknown[] {
  const id = random() < 0.8 ? `nowhere ${Math.floor(random() * 1e6)}` : pick(random, names);
  return [{ id, ...(random() < 0.5 ? { maxWorkers: 2 } : {}) }, random() < 0.5];
}

/** Mostly none, which is no member of the message: keys that are right, of others, too long, and no strings. */
function hostileKey(random: Random): unknown {
  if (random() < 0.7) return undefined;
  const right = [() => `key ${random()}`, () => 'the same for all', () => 'k'.repeat(200)];
  // A malformed message is the end of a session.
  const wrong = [() => 'k'.repeat(201), () => '', () => null, () => 5, () => ({}), () => pick(random, names)];
  return pick<() => unknown>(random, random() < 0.97 ? right : wrong)();
}

/** Returns what makes messages of one kind, each of which asks for something that is to be remembered, or told. */
export function hostileFlood(random: Random, known: readonly Known[]): (id: number, index: number) => unknown {
  const call = (id: number, target: unknown, method: string, args: unknown[], key?: string): unknown => ({
    ...{ type: 'call', id, target, method, args },
    key,
  });
  const own = known.findLast(({ className }) => className === 'DirectTransport')?.handle ?? 1;
  return pick<(id: number, index: number) => unknown>(random, [
    () => ({ type: 'followRooms' }),
    (id, index) => call(id, 0, 'findMafaldaRouter', [{ id: `nowhere ${id} ${index}` }, true]),
    (id, index) => call(id, 'mine', 'adopt', [Array.from({ length: 1000 }, (_, at) => 1e6 + 1000 * index + at)]),
    id => call(id, 'mine', 'adopt', [known.map(({ handle }) => handle)]),
    (id, index) => call(id, own, 'produceData', [{ id: 'once' }], `${index} of many`.padEnd(200, '.')),
  ]);
}

/** A method that takes an object of mediasoup's gets one, of any class. */
function withReference(random: Random, method: string, known: readonly Known[]): unknown[] {
  const right = isCall(method) ? calls[method] : [];
  const name = method === 'pipeToRouter' ? 'router' : method === 'createWebRtcTransport' ? 'webRtcServer' : undefined;
  if (name === undefined || known.length === 0 || random() < 0.3) return right;
  return [{ ...(right[0] as Wire), [name]: { $ref: pick(random, known).handle } }];
}

function anyCall(random: Random, target: unknown): [target: unknown, method: string] {
  return [target, anyMethod(random, target)];
}

function isCall(method: string): method is AnyCall {
  return Object.hasOwn(calls, method);
}

/** The list stays one: a message with anything else is the end of a session, and of what could be tried in it. */
function spoilOne(random: Random, args: unknown[]): unknown[] {
  const index = Math.floor(random() * (args.length + 0.1));
  return [...args.slice(0, index), spoil(random, args[index]), ...args.slice(index + 1)];
}

function fitting(random: Random, object: Known | undefined): [target: unknown, method: string] {
  if (!object) return random() < 0.2 ? [0, 'createMafaldaRouter'] : ['mine', pick(random, mafaldaRouterCalls)];
  return [object.handle, pick(random, membersOf(descriptionOf(object.className), 'call', 'create', 'send', 'closing'))];
}

/** A client may have its server drained, which the client that behaves would notice: only other targets are asked for it. */
const harmless = Object.keys(calls).filter(name => name !== 'drain');

function anyMethod(random: Random, target: unknown): string {
  return random() < 0.5 ? pick(random, target === 0 ? harmless : Object.keys(calls)) : pick(random, neverMethods);
}

/** Packets of socket.io and of Engine.IO that are wrong by themselves; `#` stands for the next number of a message. */
const rawPackets = [
  ...[
    '',
    '4',
    '40',
    '40{}',
    '40[]',
    '40null',
    '41',
    '43',
    '43[]',
    '43999["x"]',
    '44',
    '44"x"',
    '45',
    '46',
    '47',
    '49',
    '4\0',
    '5',
    '6',
    '7',
    'b',
    'bAAAA',
  ],
  ...[
    '2',
    '2probe',
    '3',
    '1',
    '0',
    '42',
    '42{}',
    '42[]',
    '42[1]',
    '42[null]',
    '42["connect"]',
    '42["disconnect"]',
    '42["__proto__"]',
    '42["bye"]',
    '420["bye",{}]',
    '42["moved"]',
    '420["moved"]',
    '421["moved",{}]',
    '42["moved",{},[],1]',
    '42["alive"]',
    '420["alive",{}]',
  ],
  ...[
    '40/admin,{"protocol":1}',
    '42/admin,["message",1,0,{}]',
    '40/__proto__,',
    '42["message"',
    '42["message",1e999,0,{}]',
    '42["message",#,0]',
  ],
  ...[
    '42["message",#,-1,{"type":"call","id":1,"target":0,"method":"getResourceUsages","args":[]}]',
    '42["message",-#,0,[]]',
    '42["message",99999,0,{}]',
  ],
  ...[
    '42["acknowledge"]',
    '42["acknowledge",-1]',
    '42["acknowledge",1e300]',
    '42["load",{}]',
    '42["welcome",{}]',
    '42["goodbye"]',
    '42["message",[],[],[],[]]',
  ],
  ...[
    '451-["message",#,0,{"_placeholder":true,"num":0}]',
    '451-["message",#,0,{"_placeholder":true,"num":9}]',
    '452-["message",#,0,[]]',
  ],
  ...[
    '450-["x"]',
    '45-1-["x"]',
    '451e9-["x"]',
    '459999999999-["x"]',
    '4511-["x"]',
    '451-',
    '451-{}',
    '461-["x"]',
    '453-["bye",{"_placeholder":true,"num":2}]',
  ],
  `42["message",#,0,{"type":"call","id":1,"target":0,"method":"createMafaldaRouter","args":[${'['.repeat(50_000)}${']'.repeat(50_000)}]}]`,
  `451-["message",#,0,${'['.repeat(50_000)}${']'.repeat(50_000)}]`,
  '42["message",#,0,{"type":"call","id":1,"target":0,"method":"createMafaldaRouter","args":[{"__proto__":{"polluted":true}}]}]',
  '42["message",#,0,{"type":"call","id":9007199254740993,"target":0,"method":"x","args":[]}]',
];

/** A frame as it is on the wire: broken at one of the layers below ours. */
export function hostileFrame(random: Random, number: number): Frame {
  const text = pick(random, rawPackets).replace('#', String(number));
  return pick<() => Frame>(random, [
    () => ({ opcode: 1, payload: text }),
    () => ({ opcode: 1, payload: text }),
    () => ({ opcode: 1, payload: text }),
    () => ({ opcode: 1, payload: text.slice(0, Math.floor(random() * text.length)) }),
    () => ({ opcode: 2, payload: Buffer.alloc(Math.floor(random() * 3000), 0xff) }),
    () => ({ opcode: 1, payload: Buffer.from([0x34, 0x32, 0xc3, 0x28]) }),
    () => ({ opcode: Math.floor(random() * 16), payload: text.slice(0, 100) }),
    () => ({ opcode: 1, payload: text, final: false }),
    () => ({ opcode: 1, payload: text.slice(0, 100), length: pick(random, [2_000_000, 2 ** 40, 101]) }),
  ])();
}

/** What a client might say of itself. */
export function hostileCredentials(random: Random): Record<string, unknown> {
  const right = {
    protocol: 1,
    token: 'secret',
    session: { id: 'x', received: 1 },
    endSessionId: 'y',
    canMove: random() < 0.5,
    lists: random() < 0.5,
  };
  return spoil(random, right) as Record<string, unknown>;
}
