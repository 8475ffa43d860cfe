/** Checks of data from a server: a controller has many servers, and any of them may be broken. */
import type { MafaldaRouterState } from '../../api/types.ts';
import type { HostLoad, LoadReport, WorkerLoad } from '../../api/load.ts';
import { MAX_DURATION_MS } from '../../api/checkDuration.ts';
import { classes, descriptionOf, type ClassName } from './classes.ts';
import type { ClassDescription } from './describe.ts';
import type { WireError } from './errors.ts';
import {
  MAX_LOAD_INTERVAL_MS,
  type Addition,
  type Changes,
  type FoundMafaldaRouter,
  type ServerMessage,
  type Welcome,
} from './messages.ts';
import { isHandle, isOneOf, isRecord, type Checks } from './validate.ts';

/** Characters of an id or name; those of a real server are shorter. */
const MAX_NAME = 2000;
const MAX_IN_REPORT = 10_000;

const is = {
  text: (value: unknown): boolean => typeof value === 'string',
  number: (value: unknown): boolean => typeof value === 'number',
  flag: (value: unknown): boolean => typeof value === 'boolean',
  object: (value: unknown): boolean => isRecord(value) && !Array.isArray(value),
  list: (value: unknown): boolean => Array.isArray(value),
  /** A Consumer's score is an object, a Producer's a list. */
  score: (value: unknown): boolean => isRecord(value),
} as const;

/** Types of the properties of mediasoup's objects; a name means the same in all classes. */
export const stateTypes: Readonly<Record<string, keyof typeof is>> = {
  ...{
    id: 'text',
    type: 'text',
    kind: 'text',
    producerId: 'text',
    dataProducerId: 'text',
    label: 'text',
    protocol: 'text',
  },
  ...{ pid: 'number', subprocessClosed: 'flag', rtpCapabilities: 'object' },
  ...{ sctpParameters: 'object', sctpState: 'text', sctpNegotiatedCapabilities: 'object', srtpParameters: 'object' },
  ...{ iceRole: 'text', iceParameters: 'object', iceCandidates: 'list', iceState: 'text', iceSelectedTuple: 'object' },
  ...{ dtlsParameters: 'object', dtlsState: 'text', dtlsRemoteCert: 'text', tuple: 'object', rtcpTuple: 'object' },
  ...{ rtpParameters: 'object', consumableRtpParameters: 'object', sctpStreamParameters: 'object' },
  ...{ paused: 'flag', producerPaused: 'flag', dataProducerPaused: 'flag', score: 'score', priority: 'number' },
  ...{ preferredLayers: 'object', currentLayers: 'object', subchannels: 'list' },
};

/** Properties without which no mirror can be made, where its class has them. */
const required: readonly string[] = ['id', 'type', 'kind', 'pid', 'producerId', 'dataProducerId'];

const messageChecks: Checks<ServerMessage> = {
  answer: ({ id }) => Number.isSafeInteger(id),
  failure: ({ id, error }) => Number.isSafeInteger(id) && isWireError(error),
  add: ({ addition, mafaldaRouter }) => isAddition(addition, mafaldaRouter),
  event: ({ handle, name, args, changes }) =>
    isHandle(handle) && isName(name) && Array.isArray(args) && isOptionalRecord(changes),
  change: ({ handle, changes }) => isHandle(handle) && isRecord(changes),
  close: ({ handle, cause }) => isHandle(handle) && isOptionalCause(cause),
  forget: ({ handle }) => isHandle(handle),
  disown: ({ handles }) => Array.isArray(handles) && handles.every(isHandle),
  closeMafaldaRouter: ({ mafaldaRouter }) => isName(mafaldaRouter),
  heldRooms: ({ ids, isFirst, isLast }) =>
    isListOf(ids, isName) && typeof isFirst === 'boolean' && typeof isLast === 'boolean',
  held: ({ ids }) => isListOf(ids, isName),
  released: ({ ids }) => isListOf(ids, isName),
};

/** Checks a message alone; the properties in it are checked by {@link checkChanges}, where the object is known. */
export function isServerMessage(value: unknown): value is ServerMessage {
  return isOneOf(value, messageChecks);
}

/**
 * @returns the known properties; null stands for undefined
 * @throws {TypeError} if a property is not of the type that it has in mediasoup
 */
export function checkChanges({ members }: ClassDescription, changes: Changes): Changes {
  const known: Changes = {};
  for (const name of Object.keys(changes)) {
    const kind = Object.hasOwn(members, name) ? members[name] : undefined;
    if (kind !== 'fixed' && kind !== 'changing') continue;
    const type = stateTypes[name];
    if (type && changes[name] !== null && !is[type](changes[name]))
      throw new TypeError(`the property ${name} is not of the type ${type}`);
    known[name] = changes[name];
  }
  return known;
}

/** @throws {TypeError} if the state is not that of an object of the class */
export function checkState(description: ClassDescription, state: Changes): Changes {
  const missing = required.find(name => Object.hasOwn(description.members, name) && (state[name] ?? null) === null);
  if (missing !== undefined && description.members[missing] === 'fixed')
    throw new TypeError(`the property ${missing} is missing`);
  return checkChanges(description, state);
}

/** @throws {TypeError} if an object of the first class can't be in an object of the second */
export function checkParent(className: ClassName, parent: ClassName): void {
  if (!descriptionOf(className).parents.includes(parent)) throw new TypeError(`a ${className} can't be in a ${parent}`);
}

export function isWelcome(value: unknown): value is Welcome {
  if (!isRecord(value)) return false;
  const { protocol, maxPayload, sessionTimeout, loadInterval, serverId, region, labels, maxLoad, mediasoup, session } =
    value;
  return (
    typeof protocol === 'number' &&
    Number.isSafeInteger(maxPayload) &&
    isWithin(maxPayload, 1, Number.MAX_SAFE_INTEGER) &&
    isWithin(sessionTimeout, Number.MIN_VALUE, MAX_DURATION_MS) &&
    isWithin(loadInterval, 1, MAX_LOAD_INTERVAL_MS) &&
    isName(serverId) &&
    (region === undefined || isName(region)) &&
    isRecord(labels) &&
    Object.values(labels).every(isName) &&
    (maxLoad === undefined || isLoad(maxLoad)) &&
    isMediasoupInfo(mediasoup) &&
    isRecord(session) &&
    isName(session['id']) &&
    Number.isSafeInteger(session['received'])
  );
}

/** Refuses a report with missing or negative numbers, since placement adds them up. */
export function isLoadReport(value: unknown): value is LoadReport {
  return (
    isRecord(value) &&
    isLoad(value['load']) &&
    isListOf(value['workers'], isWorkerLoad) &&
    isListOf(value['hosts'], isHostLoad) &&
    (value['draining'] === undefined || typeof value['draining'] === 'boolean')
  );
}

/** The answer to `listMafaldaRouters()`. */
export function isMafaldaRouterStates(value: unknown): value is MafaldaRouterState[] {
  const isHolder = (holder: unknown): boolean =>
    isRecord(holder) &&
    (holder['node'] === undefined || isName(holder['node'])) &&
    isListOf(holder['clients'], isName) &&
    isLoad(holder['objects']);
  return (
    Array.isArray(value) &&
    value.every(state => isRecord(state) && isName(state['id']) && isListOf(state['holders'], isHolder))
  );
}

/** The answer to `findMafaldaRouter()`; the options in it are checked where they are used. */
export function isFoundMafaldaRouter(value: unknown): value is FoundMafaldaRouter {
  if (!isRecord(value) || typeof value['isComplete'] !== 'boolean') return false;
  const { number, routerOptions } = value;
  return number === undefined || (Number.isSafeInteger(number) && isOptionalRecord(routerOptions));
}

/** A number from 0 up. */
export function isLoad(value: unknown): value is number {
  return isWithin(value, 0, Number.MAX_VALUE);
}

function isWorkerLoad(value: unknown): value is WorkerLoad {
  if (!isRecord(value) || !isName(value['id'])) return false;
  return ['cpu', 'routers', 'transports', 'producers', 'consumers', 'dataProducers', 'dataConsumers'].every(name =>
    isLoad(value[name]),
  );
}

function isHostLoad(value: unknown): value is HostLoad {
  if (!isRecord(value)) return false;
  const { cores, cpu, memory, network } = value;
  const isMemory = isRecord(memory) && isLoad(memory['total']) && isLoad(memory['free']);
  const isNetwork =
    network === undefined || (isRecord(network) && isLoad(network['received']) && isLoad(network['sent']));
  return Number.isSafeInteger(cores) && isWithin(cores, 1, MAX_IN_REPORT) && isLoad(cpu) && isMemory && isNetwork;
}

function isMediasoupInfo(value: unknown): boolean {
  return (
    isRecord(value) &&
    isName(value['version']) &&
    isName(value['workerBin']) &&
    isRecord(value['supportedRtpCapabilities'])
  );
}

function isAddition(value: unknown, mafaldaRouter: unknown): value is Addition {
  if (!isRecord(value)) return false;
  const { handle, className, id, parent, appData, state, families, key } = value;
  if (
    !isHandle(handle) ||
    !isName(className) ||
    !Object.hasOwn(classes, className) ||
    !isName(id) ||
    id === '' ||
    !isRecord(state)
  )
    return false;
  if (appData !== undefined && appData !== null && typeof appData !== 'object') return false;
  if (families !== undefined && !isListOf(families, family => family === 4 || family === 6)) return false;
  if (key !== undefined && !isName(key)) return false;
  const isInMafaldaRouter = isName(mafaldaRouter);
  if (!isInMafaldaRouter && mafaldaRouter !== undefined) return false;
  if (className === 'Worker') return !isInMafaldaRouter && parent === undefined;
  if (className === 'SharedWorker') return isInMafaldaRouter && parent === undefined;
  // An object that is made while its parent closes has no known parent: the client ignores it.
  return parent === undefined || isHandle(parent);
}

function isOptionalCause(value: unknown): boolean {
  if (value === undefined) return true;
  return isRecord(value) && isName(value['name']) && (value['error'] === undefined || isWireError(value['error']));
}

function isWireError(value: unknown): value is WireError {
  return isRecord(value) && typeof value['name'] === 'string' && typeof value['message'] === 'string';
}

function isListOf(value: unknown, isElement: (element: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= MAX_IN_REPORT && value.every(isElement);
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME;
}

function isOptionalRecord(value: unknown): boolean {
  return value === undefined || isRecord(value);
}
