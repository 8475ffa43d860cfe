/** Errors keep their class across the wire, and those of this library their code and fields too. */
import { NotFoundError, UnsupportedError, WorkerClosedError } from 'mediasoup/errors';
import {
  CallTimeoutError,
  ClosedError,
  DuplicateIdError,
  IncompatibleError,
  LimitError,
  mafaldaErrors,
  NodeDrainingError,
  NodeFullError,
  NodeUnavailableError,
  ProvisionError,
  RefusedError,
  WorkerBudgetError,
  type MafaldaErrorCode,
} from '../../api/errors.ts';
import { shortened } from './measure.ts';
import { StaleLinkError } from '../../piping/endpoint.ts';

export interface WireError {
  name: string;
  message: string;
  /** Only errors of this library have a code, and fields. */
  code?: string;
  fields?: Record<string, unknown>;
}

type ErrorClass = new (message: string) => Error;
type Fields = Record<string, unknown>;

/** Levels of causes, enough for an error of a node below nodes; deeper causes are cut off. */
const MAX_CAUSES_DEPTH = 4;
/** Characters of a text; an error may quote an argument, which can be as long as a message. */
const MAX_MESSAGE_LENGTH = 2000;
const MAX_NAME_LENGTH = 100;
/** Number of causes of a NodeUnavailableError; those of further nodes are left out. */
const MAX_CAUSES = 100;

const classesByName: Readonly<Record<string, ErrorClass>> = {
  Error,
  TypeError,
  RangeError,
  NotFoundError,
  UnsupportedError,
  WorkerClosedError,
  StaleLinkError,
};

const decoders: { readonly [Code in MafaldaErrorCode]: (message: string, fields: Fields, depth: number) => Error } = {
  ERR_MAFALDA_NODE_UNAVAILABLE: (message, { node, cause, causes }, depth) =>
    new NodeUnavailableError(message, {
      node: toText(node),
      cause: toError(cause, depth),
      causes: toErrors(causes, depth),
    }),
  ERR_MAFALDA_NODE_DRAINING: (message, { node }) => new NodeDrainingError(message, { node: toText(node) }),
  ERR_MAFALDA_NODE_FULL: (message, { load, maxLoad }) =>
    new NodeFullError(message, { load: toNumber(load), maxLoad: toNumber(maxLoad) }),
  ERR_MAFALDA_LIMIT: (message, { limit, max }) =>
    new LimitError(message, { limit: textOf(limit, MAX_NAME_LENGTH), max: toNumber(max) }),
  ERR_MAFALDA_WORKER_BUDGET: message => new WorkerBudgetError(message),
  ERR_MAFALDA_CALL_TIMEOUT: (message, { method, cause }, depth) =>
    new CallTimeoutError(message, { method: textOf(method, MAX_NAME_LENGTH), cause: toError(cause, depth) }),
  ERR_MAFALDA_REFUSED: (message, { reason, permanent }) =>
    new RefusedError(message, { reason: textOf(reason, MAX_MESSAGE_LENGTH), permanent: permanent === true }),
  ERR_MAFALDA_CLOSED: message => new ClosedError(message),
  ERR_MAFALDA_INCOMPATIBLE: message => new IncompatibleError(message),
  ERR_MAFALDA_PROVISION: (message, { operation, id, cause }, depth) =>
    new ProvisionError(message, {
      operation: operation === 'stop' || operation === 'list' ? operation : 'start',
      id: toText(id),
      cause: toError(cause, depth),
    }),
  ERR_MAFALDA_DUPLICATE_ID: (message, { id }) => new DuplicateIdError(message, { id: textOf(id, MAX_MESSAGE_LENGTH) }),
};

export function encodeError(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: textOf(error, MAX_MESSAGE_LENGTH) };
  const [name, message] = [textOf(error.name, MAX_NAME_LENGTH), textOf(error.message, MAX_MESSAGE_LENGTH)];
  const { code } = error as { code?: unknown };
  // The code decides, since the class may be that of another copy of this module.
  return isMafaldaCode(code) ? { name, message, code, fields: encodeFields(error, depth) } : { name, message };
}

export function decodeError({ name: givenName, message: givenMessage, code, fields }: WireError, depth = 0): Error {
  const [name, message] = [textOf(givenName, MAX_NAME_LENGTH), textOf(givenMessage, MAX_MESSAGE_LENGTH)];
  if (isMafaldaCode(code)) return decoders[code](message, isRecord(fields) ? fields : {}, depth);
  if (Object.hasOwn(classesByName, name)) return new classesByName[name]!(message);
  return Object.assign(new Error(message), { name });
}

function encodeFields(error: Error, depth: number): Fields {
  const { causes } = error as unknown as Fields;
  const { cause } = error;
  const own = Object.entries(error as unknown as Fields).filter(
    ([name]) => !['code', 'name', 'cause', 'causes'].includes(name),
  );
  const fields: Fields = Object.fromEntries(
    own.map(([name, value]) => [name, typeof value === 'string' ? shortened(value, MAX_MESSAGE_LENGTH) : value]),
  );
  if (depth >= MAX_CAUSES_DEPTH) return fields;
  if (cause !== undefined) fields['cause'] = encodeError(cause, depth + 1);
  if (isRecord(causes)) {
    const encoded = Object.entries(causes)
      .slice(0, MAX_CAUSES)
      .map(([node, why]) => [node, encodeError(why, depth + 1)]);
    fields['causes'] = Object.fromEntries(encoded);
  }
  return fields;
}

function toErrors(causes: unknown, depth: number): Record<string, Error> {
  if (!isRecord(causes)) return {};
  const entries = Object.entries(causes)
    .slice(0, MAX_CAUSES)
    .map(([node, why]) => [node, toError(why, depth)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, Error] => entry[1] !== undefined));
}

function toError(cause: unknown, depth: number): Error | undefined {
  if (!isRecord(cause) || depth >= MAX_CAUSES_DEPTH) return undefined;
  return decodeError(cause as unknown as WireError, depth + 1);
}

/** Text of a thrown value, some of which can't be converted to a string. */
function textOf(value: unknown, length: number): string {
  try {
    return shortened(String(value), length);
  } catch {
    return 'unknown';
  }
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function toNumber(value: unknown): number {
  return typeof value === 'number' ? value : NaN;
}

function isMafaldaCode(code: unknown): code is MafaldaErrorCode {
  return typeof code === 'string' && Object.hasOwn(mafaldaErrors, code);
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
