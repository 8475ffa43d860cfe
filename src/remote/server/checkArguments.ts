/**
 * Checks of arguments from the wire. mediasoup checks many of them itself, but not all: a value that it can't write
 * into a message to its Worker makes it throw in the middle of that, and leaves the channel to this Worker unusable.
 */
import { EventEmitter } from 'node:events';
import type { ClassName } from '../protocol/classes.ts';

type Kind =
  | 'text'
  | 'number'
  | 'integer'
  | 'flag'
  | 'object'
  | 'objects'
  | 'texts'
  | 'numbers'
  | 'parameters'
  | 'name'
  | 'address'
  | 'addresses'
  | 'data'
  | 'any';

/**
 * Elements of a list; more than any real client sends. mediasoup's time grows with the product of the lengths of two
 * lists.
 */
const MAX_LIST = 100;
/** Elements of a list of numbers, each of which is processed once. */
const MAX_NUMBERS = 1000;
const MAX_TEXT = 20_000;
/** Characters of an object's name, which is part of many messages. */
const MAX_NAME = 1000;

/** Accepts NaN and infinite numbers, as mediasoup does. */
const isNumber = (value: unknown): boolean => typeof value === 'number';
const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= MAX_TEXT;
const isName = (value: unknown): boolean => typeof value === 'string' && value.length <= MAX_NAME;
/** Accepts plain objects of options, but no object of mediasoup's, which is an EventEmitter. */
const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof EventEmitter);
const isAddress = (value: unknown): boolean => isText(value) || isObject(value);

const kinds: Record<Kind, { is: (value: unknown) => boolean; label: string }> = {
  text: { is: isText, label: `a string of at most ${MAX_TEXT} characters` },
  number: { is: isNumber, label: 'a number' },
  integer: { is: isNumber, label: 'an integer' },
  flag: { is: value => typeof value === 'boolean', label: 'a boolean' },
  object: { is: isObject, label: 'an object' },
  objects: { is: listOf(isObject, MAX_LIST), label: `an array of objects, at most ${MAX_LIST}` },
  texts: { is: listOf(isText, MAX_LIST), label: `an array of strings, at most ${MAX_LIST}` },
  numbers: { is: listOf(isNumber, MAX_NUMBERS), label: `an array of numbers, at most ${MAX_NUMBERS}` },
  parameters: {
    is: value => isObject(value) && Object.keys(value as object).length <= MAX_LIST,
    label: `an object with at most ${MAX_LIST} members`,
  },
  // The id of an object is a string, that of a header extension a number.
  name: {
    is: value => isName(value) || isNumber(value),
    label: `a string of at most ${MAX_NAME} characters, or a number`,
  },
  address: { is: isAddress, label: 'a string or an object' },
  addresses: { is: listOf(isAddress, MAX_LIST), label: `an array of strings or objects, at most ${MAX_LIST}` },
  data: { is: value => isText(value) || value instanceof Uint8Array, label: 'a string or a Buffer' },
  any: { is: () => true, label: 'anything' },
};

/**
 * Properties by kind; a name means the same in all of mediasoup's options. mediasoup ignores or copies any other
 * property.
 */
const properties = new Map<string, Kind>(
  Object.entries({
    text: [
      ...[
        'ip',
        'announcedIp',
        'announcedAddress',
        'address',
        'protocol',
        'mid',
        'msid',
        'rid',
        'cname',
        'mimeType',
        'uri',
        'kind',
        'type',
        'parameter',
      ],
      ...[
        'direction',
        'scalabilityMode',
        'label',
        'cryptoSuite',
        'srtpCryptoSuite',
        'keyBase64',
        'role',
        'algorithm',
        'value',
        'logLevel',
      ],
      ...['link', 'producerId', 'dataProducerId', 'routerId', 'remoteRouterId', 'transportId', 'consumerId'],
    ],
    number: [
      ...[
        'port',
        'rtcpPort',
        'min',
        'max',
        'sendBufferSize',
        'recvBufferSize',
        'ssrc',
        'payloadType',
        'preferredPayloadType',
        'codecPayloadType',
      ],
      ...[
        'clockRate',
        'channels',
        'preferredId',
        'OS',
        'MIS',
        'streamId',
        'maxPacketLifeTime',
        'maxRetransmits',
        'spatialLayer',
        'temporalLayer',
      ],
      ...[
        'maxMessageSize',
        'maxSendMessageSize',
        'maxReceiveMessageSize',
        'sctpSendBufferSize',
        'sctpPerStreamSendQueueLimit',
      ],
      ...[
        'sctpMaxReceiverWindowBufferSize',
        'sctpDefaultStreamBufferedAmountLowThreshold',
        'keyFrameRequestDelay',
        'iceConsentTimeout',
      ],
      ...['interval', 'threshold', 'maxEntries', 'family', 'rtcMinPort', 'rtcMaxPort', 'scaleResolutionDownBy'],
    ],
    integer: ['maxBitrate', 'initialAvailableOutgoingBitrate'],
    flag: [
      ...[
        'paused',
        'pipe',
        'ignoreDtx',
        'enableRtx',
        'enableSctp',
        'enableSrtp',
        'enableUdp',
        'enableTcp',
        'preferUdp',
        'preferTcp',
        'comedia',
      ],
      ...[
        'rtcpMux',
        'isLast',
        'dtx',
        'encrypt',
        'preferredEncrypt',
        'reducedSize',
        'mux',
        'ordered',
        'network',
        'keepId',
        'ipv6Only',
        'udpReusePort',
        'asleep',
      ],
      ...['enableMediasoupPacketIdHeaderExtension', 'exposeInternalIp', 'disableLiburing'],
    ],
    object: [
      ...[
        'rtpParameters',
        'rtpCapabilities',
        'rtcp',
        'rtx',
        'flags',
        'portRange',
        'numSctpStreams',
        'srtpParameters',
        'dtlsParameters',
      ],
      ...[
        'sctpStreamParameters',
        'preferredLayers',
        'listenInfo',
        'rtcpListenInfo',
        'remote',
        'stream',
        'routerOptions',
        'workerSettings',
      ],
    ],
    parameters: ['parameters'],
    objects: ['codecs', 'headerExtensions', 'encodings', 'rtcpFeedback', 'fingerprints', 'listenInfos', 'mediaCodecs'],
    texts: ['logTags', 'consumerIds'],
    numbers: ['subchannels'],
    name: ['id'],
    address: ['listenIp'],
    addresses: ['listenIps'],
  } satisfies Partial<Record<Kind, string[]>>).flatMap(([kind, names]) =>
    names.map((name): [string, Kind] => [name, kind as Kind]),
  ),
);

/**
 * Properties with free content: the application's data, and parameters of codecs, which mediasoup checks one by one.
 */
const unchecked: readonly string[] = ['appData', 'parameters'];

/** Kinds of the arguments of methods that take anything else than one object of options. */
const positional = new Map<string, Kind[]>(
  Object.entries({
    setMaxIncomingBitrate: ['integer'],
    setMaxOutgoingBitrate: ['integer'],
    setMinOutgoingBitrate: ['integer'],
    setPriority: ['number'],
    setBufferedAmountLowThreshold: ['number'],
    enableTraceEvent: ['texts'],
    setSubchannels: ['numbers'],
    addSubchannel: ['number'],
    removeSubchannel: ['number'],
    send: ['data', 'number', 'numbers', 'number'],
    sendRtcp: ['data'],
    updateMediaCodecs: ['objects'],
    adopt: ['numbers'],
    // createMafaldaRouter() checks its argument itself, with better error messages.
    createMafaldaRouter: ['any'],
    findMafaldaRouter: ['any', 'flag'],
  } satisfies Record<string, Kind[]>),
);

/**
 * Options that take an object of mediasoup's, with its class. Outside `appData`, no other option may have such an
 * object.
 */
const references = new Map<string, Readonly<Record<string, ClassName>>>([
  ['pipeToRouter', { router: 'Router' }],
  ['createWebRtcTransport', { webRtcServer: 'WebRtcServer' }],
]);

/** Returns the class of an object of mediasoup's, or undefined for any other object. */
type ClassOf = (object: object) => ClassName | undefined;

/**
 * Checks the types of all arguments, since errors that mediasoup's methods raise for an unexpected object can't be
 * caught by the caller.
 * @throws {RangeError} for a number that must be an integer, and is not
 * @throws {TypeError} naming the argument that is of a wrong type
 */
export function checkArguments(method: string, args: unknown[], classOf: ClassOf): void {
  checkReferences(method, args[0], classOf);
  const allowed = Object.keys(references.get(method) ?? {});
  const expected = positional.get(method) ?? ['object'];
  for (const [index, arg] of args.entries()) {
    // JSON turns an omitted argument in the middle of a list into null.
    if (arg === undefined || arg === null) continue;
    const kind = expected[index] ?? 'any';
    const { is, label } = kinds[kind];
    if (!is(arg)) throw new TypeError(`${method}(): argument ${index + 1} must be ${label}`);
    if (!isWhole(kind, arg)) throw new RangeError(`${method}(): argument ${index + 1} must be ${label}`);
    const wrong = findWrong(arg, allowed);
    if (wrong) throw new wrong.ErrorClass(`${method}()${wrong.text}`);
  }
}

function checkReferences(method: string, options: unknown, classOf: ClassOf): void {
  if (typeof options !== 'object' || options === null) return;
  for (const [name, className] of Object.entries(references.get(method) ?? {})) {
    const value = (options as Record<string, unknown>)[name];
    // mediasoup refuses a missing object itself, if it is required.
    if (value === undefined || value === null) continue;
    if (!(value instanceof EventEmitter) || classOf(value) !== className)
      throw new TypeError(`${method}().${name} must be a ${className}`);
  }
}

interface Wrong {
  /** Path of the property, and the type that it must have. */
  readonly text: string;
  readonly ErrorClass: new (message: string) => Error;
}

/**
 * Finds a property of a wrong type; its path is only put together if there is one.
 * @param allowed options that may have an object of mediasoup's
 * @returns the first property of a wrong type
 */
function findWrong(value: unknown, allowed: readonly string[] = []): Wrong | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
  if (value instanceof EventEmitter) return { text: " must not be an object of mediasoup's", ErrorClass: TypeError };
  // Frozen data has been checked before.
  if (Object.isFrozen(value)) return undefined;
  if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) {
      const wrong = findWrong(element);
      if (wrong) return { ...wrong, text: `[${index}]${wrong.text}` };
    }
    return undefined;
  }
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name];
    const kind = properties.get(name);
    // mediasoup takes null for a missing value, except for an integer.
    if (kind && (member !== null || kind === 'integer') && !kinds[kind].is(member))
      return { text: `.${name} must be ${kinds[kind].label}`, ErrorClass: TypeError };
    if (kind && !isWhole(kind, member))
      return { text: `.${name} must be ${kinds[kind].label}`, ErrorClass: RangeError };
    if (kind === undefined && Array.isArray(member) && member.length > MAX_NUMBERS && !unchecked.includes(name)) {
      return { text: `.${name} must have at most ${MAX_NUMBERS} elements`, ErrorClass: TypeError };
    }
    const wrong = unchecked.includes(name) || allowed.includes(name) ? undefined : findWrong(member);
    if (wrong) return { ...wrong, text: `.${name}${wrong.text}` };
  }
  return undefined;
}

/**
 * Checks the numbers that mediasoup converts to a bigint: it would throw its RangeError in the middle of a message to
 * its Worker.
 */
function isWhole(kind: Kind, value: unknown): boolean {
  return kind !== 'integer' || Number.isInteger(value);
}

function listOf(is: (value: unknown) => boolean, max: number): (value: unknown) => boolean {
  return value => Array.isArray(value) && value.length <= max && value.every(is);
}
