/** Checks of data from a server: a controller has many servers, and any of them may be broken. */
import type { RouterOptions, RouterRtpCapabilities } from 'mediasoup/types';
import type { MafaldaRouterState } from '../../api/types.ts';
import type { HostLoad, LoadReport, WorkerLoad } from '../../api/load.ts';
import { MAX_DURATION_MS } from '../../api/optionTypes.ts';
import type { Family } from '../../core/addresses/families.ts';
import { classes, descriptionOf, type ClassName } from './classes.ts';
import { propertiesOf, type ClassDescription, type MembersOf } from './describe.ts';
import type { WireError } from './errors.ts';
import { isListSlot } from './lists.ts';
import {
  MAX_LOAD_INTERVAL_MS,
  type Addition,
  type Changes,
  type CloseCause,
  type FoundMafaldaRouter,
  type MediasoupInfo,
  type ServerMessage,
  type Welcome,
} from './messages.ts';
import {
  isFlag,
  isHandle,
  isInteger,
  isList,
  isNumber,
  isRecord,
  isText,
  listOf,
  messageOf,
  optional,
  recordOf,
  unchecked,
  type Check,
} from './validate.ts';

/** Characters of an id or name; those of a real server are shorter. */
const MAX_NAME = 2000;
const MAX_IN_REPORT = 10_000;

const is = {
  text: isText,
  number: isNumber,
  flag: isFlag,
  object: (value: unknown): boolean => isRecord(value) && !Array.isArray(value),
  list: (value: unknown): boolean => Array.isArray(value),
  /** A Consumer's score is an object, a Producer's a list. */
  score: isRecord,
} as const;

type Classes = typeof classes;
/** Names of the properties that cross the wire, of all classes. */
type Property = { [Name in ClassName]: MembersOf<Classes[Name]['members'], 'fixed' | 'changing'> }[ClassName];

/**
 * Types of the properties of mediasoup's objects; a name means the same in all classes. The compiler refuses the table
 * if a property of the class table is missing.
 */
export const stateTypes: Readonly<Record<Property, keyof typeof is>> = {
  id: 'text',
  type: 'text',
  kind: 'text',
  producerId: 'text',
  dataProducerId: 'text',
  label: 'text',
  protocol: 'text',
  pid: 'number',
  subprocessClosed: 'flag',
  rtpCapabilities: 'object',
  sctpParameters: 'object',
  sctpState: 'text',
  sctpNegotiatedCapabilities: 'object',
  srtpParameters: 'object',
  iceRole: 'text',
  iceParameters: 'object',
  iceCandidates: 'list',
  iceState: 'text',
  iceSelectedTuple: 'object',
  dtlsParameters: 'object',
  dtlsState: 'text',
  dtlsRemoteCert: 'text',
  tuple: 'object',
  rtcpTuple: 'object',
  rtpParameters: 'object',
  consumableRtpParameters: 'object',
  sctpStreamParameters: 'object',
  paused: 'flag',
  producerPaused: 'flag',
  dataProducerPaused: 'flag',
  score: 'score',
  priority: 'number',
  preferredLayers: 'object',
  currentLayers: 'object',
  subchannels: 'list',
};
const typesByName: Readonly<Partial<Record<string, keyof typeof is>>> = stateTypes;

/** Properties without which no mirror can be made, where its class has them. */
const required: readonly string[] = ['id', 'type', 'kind', 'pid', 'producerId', 'dataProducerId'];

const isWireError = recordOf<WireError>({
  name: isText,
  message: isText,
  // They are read by the code, which checks them: see `errors.ts`.
  code: unchecked(),
  fields: unchecked(),
});

const isAddition = recordOf<Addition>({
  handle: isHandle,
  className: (value): value is ClassName => typeof value === 'string' && Object.hasOwn(classes, value),
  id: (value): value is string => isName(value) && value !== '',
  // An object that is made while its parent closes has no known parent: the client ignores it.
  parent: optional(isHandle),
  appData: (value): value is unknown => value === undefined || typeof value === 'object',
  state: isRecord,
  families: optional(listOf((value): value is Family => value === 4 || value === 6, MAX_IN_REPORT)),
  producedAt: optional(isNumber),
  key: optional(isName),
});

const areNames = listOf(isName, MAX_IN_REPORT);

const hasKnownFields = messageOf<ServerMessage>({
  answer: { id: isInteger, result: unchecked(), load: unchecked() },
  failure: { id: isInteger, error: isWireError },
  add: { addition: isAddition, mafaldaRouter: optional(isName) },
  list: { slot: isListSlot, list: isList },
  event: { handle: isHandle, name: isName, args: isList, changes: optional(isRecord) },
  change: { handle: isHandle, changes: isRecord },
  close: {
    handle: isHandle,
    cause: optional(recordOf<CloseCause>({ name: isName, error: optional(isWireError) })),
  },
  forget: { handle: isHandle },
  disown: { handles: listOf(isHandle) },
  closeMafaldaRouter: { mafaldaRouter: isName },
  heldRooms: { ids: areNames, isFirst: isFlag, isLast: isFlag },
  held: { ids: areNames },
  released: { ids: areNames },
});

/** Checks a message alone; the properties in it are checked by {@link checkChanges}, where the object is known. */
export function isServerMessage(value: unknown): value is ServerMessage {
  return hasKnownFields(value) && (value.type !== 'add' || isInItsPlace(value));
}

/** Whether the MafaldaRouter, or its absence, and the parent fit the class. */
function isInItsPlace({ addition, mafaldaRouter }: Extract<ServerMessage, { type: 'add' }>): boolean {
  const { className, parent } = addition;
  if (className === 'Worker') return mafaldaRouter === undefined && parent === undefined;
  return className !== 'SharedWorker' || (mafaldaRouter !== undefined && parent === undefined);
}

/**
 * @returns the known properties, in the same object if there are no others; null stands for undefined
 * @throws {TypeError} if a property is not of the type that it has in mediasoup
 */
export function checkChanges(description: ClassDescription, changes: Changes): Changes {
  const { checks } = propertyChecksOf(description);
  let isKnown = true;
  for (const name of Object.keys(changes)) {
    const check = checks.get(name);
    const value = changes[name];
    if (!check) isKnown = false;
    else if (value !== null && !check.is(value))
      throw new TypeError(`the property ${name} is not of the type ${check.type}`);
  }
  return isKnown ? changes : Object.fromEntries(Object.entries(changes).filter(([name]) => checks.has(name)));
}

/** @throws {TypeError} if the state is not that of an object of the class */
export function checkState(description: ClassDescription, state: Changes): Changes {
  for (const name of propertyChecksOf(description).required)
    if ((state[name] ?? null) === null) throw new TypeError(`the property ${name} is missing`);
  return checkChanges(description, state);
}

interface PropertyChecks {
  /** Checks of all properties of a class, by their names. */
  readonly checks: ReadonlyMap<string, { type: string; is: (value: unknown) => boolean }>;
  readonly required: readonly string[];
}

const propertyChecks = new WeakMap<ClassDescription, PropertyChecks>();

/** Returns the checks of a class, cached since they are needed for each object. */
function propertyChecksOf(description: ClassDescription): PropertyChecks {
  const cached = propertyChecks.get(description);
  if (cached) return cached;
  const { fixed, changing } = propertiesOf(description);
  const checks = new Map(
    [...fixed, ...changing].map(name => {
      const type = typesByName[name]!;
      return [name, { type, is: is[type] }];
    }),
  );
  const found = { checks, required: required.filter(name => fixed.includes(name)) };
  propertyChecks.set(description, found);
  return found;
}

/** @throws {TypeError} if an object of the first class can't be in an object of the second */
export function checkParent(className: ClassName, parent: ClassName): void {
  if (!descriptionOf(className).parents.includes(parent)) throw new TypeError(`a ${className} can't be in a ${parent}`);
}

/** A number from 0 up: placement adds them up. */
export const isLoad = within(0, Number.MAX_VALUE);

export const isWelcome = recordOf<Welcome>({
  protocol: isNumber,
  maxPayload: (value): value is number => isInteger(value) && value >= 1,
  sessionTimeout: within(Number.MIN_VALUE, MAX_DURATION_MS),
  loadInterval: within(1, MAX_LOAD_INTERVAL_MS),
  serverId: isName,
  region: optional(isName),
  labels: (value): value is Record<string, string> => isRecord(value) && Object.values(value).every(isName),
  maxLoad: optional(isLoad),
  mediasoup: recordOf<MediasoupInfo>({
    version: isName,
    workerBin: isName,
    supportedRtpCapabilities: (value): value is RouterRtpCapabilities => isRecord(value),
  }),
  session: recordOf<Welcome['session']>({ id: isName, received: isInteger }),
});

const isWorkerLoad = recordOf<WorkerLoad>({
  id: isName,
  cpu: isLoad,
  routers: isLoad,
  transports: isLoad,
  producers: isLoad,
  consumers: isLoad,
  dataProducers: isLoad,
  dataConsumers: isLoad,
});

const isHostLoad = recordOf<HostLoad>({
  cores: (value): value is number => isInteger(value) && value >= 1 && value <= MAX_IN_REPORT,
  cpu: isLoad,
  memory: recordOf<HostLoad['memory']>({ total: isLoad, free: isLoad }),
  network: optional(recordOf<NonNullable<HostLoad['network']>>({ received: isLoad, sent: isLoad })),
});

export const isLoadReport = recordOf<LoadReport>({
  load: isLoad,
  workers: listOf(isWorkerLoad, MAX_IN_REPORT),
  hosts: listOf(isHostLoad, MAX_IN_REPORT),
  draining: optional(isFlag),
});

const isHolder = recordOf<MafaldaRouterState['holders'][number]>({
  node: optional(isName),
  clients: listOf(isName, MAX_IN_REPORT),
  objects: isLoad,
});

/** The answer to `listMafaldaRouters()`. */
export const isMafaldaRouterStates = listOf(
  recordOf<MafaldaRouterState>({ id: isName, holders: listOf(isHolder, MAX_IN_REPORT) }),
);

/** The answer to `findMafaldaRouter()`; the options in it are checked where they are used. */
export const isFoundMafaldaRouter = recordOf<FoundMafaldaRouter>({
  isComplete: isFlag,
  number: optional(isInteger),
  routerOptions: optional((value): value is RouterOptions => isRecord(value)),
});

function within(min: number, max: number): Check<number> {
  return (value): value is number => typeof value === 'number' && value >= min && value <= max;
}

/** An id, or a name; that of a real server is shorter. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME;
}
