/**
 * Codec of arguments and results as plain data. Objects that both sides know become references (`{ $ref: handle }`),
 * and values that JSON lacks become `{ $bigint: digits }`, `{ $number: 'NaN' }` and, in an array,
 * `{ $undefined: true }`; keys that begin with `$` get another `$`, so that no data is taken for one of these. Buffers
 * stay: socket.io carries them, and puts `{ _placeholder: true, num }` in their places; so a key `_placeholder` gets a
 * `$` too. Values in an `appData`, where applications keep objects of their own, are left out if they can't be sent.
 */
import { EventEmitter } from 'node:events';
import { NotFoundError } from 'mediasoup/errors';

const MAX_DEPTH = 32;
const REFERENCE = '$ref';
const BIGINT = '$bigint';
const UNDEFINED = '$undefined';
const NUMBER = '$number';
const NO_JSON_NUMBERS: readonly unknown[] = ['NaN', 'Infinity', '-Infinity'];
/** Digits of mediasoup's 64 bits; the limit keeps a peer from making this process parse a million digits. */
const BIGINT_DIGITS = /^-?\d{1,20}$/;
const PLACEHOLDER = '_placeholder';
const DOLLAR = '$'.charCodeAt(0);
/** Number of Buffers that socket.io's parser takes in one packet; with more, it closes the connection. */
export const MAX_BUFFERS = 10;

/** Key of the application's own data, which may refer to closed objects without being refused. */
const APP_DATA = 'appData';

/** Limits of one `appData`, in values and in characters or bytes; values beyond them are not sent. */
const MAX_APP_DATA_VALUES = 10_000;
const MAX_APP_DATA_LENGTH = 900_000;

type HandleOf = (object: object, isInAppData: boolean) => number | undefined;

/** Counts the Buffers in what is encoded, which socket.io carries beside the text. */
export interface BufferCount {
  count: number;
}

/**
 * @param handleOf the handle of an object that the other side knows, or has known, or undefined for data
 * @param buffers counts the Buffers in the value
 * @throws {TypeError} for a value outside an `appData` that can't be sent
 * @throws {RangeError} for too many Buffers
 */
export function encode(value: unknown, handleOf: HandleOf, buffers: BufferCount = { count: 0 }): unknown {
  if (isEncodedPrimitive(value)) return value;
  try {
    return encodeDeep(value, handleOf, buffers, 0);
  } catch {
    // The second pass finds the path for the error; keeping track of it would slow down each call that succeeds.
    buffers.count = 0;
    return encodeDeep(value, handleOf, buffers, 0, 'it');
  }
}

/**
 * Encodes data that never changes: returns the data itself, rather than a copy, if it is the same encoded.
 * @throws {Error} as {@link encode}
 */
export function encodeShared(value: unknown, handleOf: HandleOf): unknown {
  return isEncoded(value, 0) ? value : encode(value, handleOf);
}

/** Returns whether the value is the same encoded: plain data, of what JSON has, without keys that are escaped. */
function isEncoded(value: unknown, depth: number): boolean {
  if (isEncodedPrimitive(value)) return true;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    for (const element of value as unknown[]) if (element === undefined || !isEncoded(element, depth + 1)) return false;
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype || 'toJSON' in value) return false;
  for (const key in value) {
    if (key.charCodeAt(0) === DOLLAR || key === PLACEHOLDER || key === APP_DATA || key === '__proto__') return false;
    if (!isEncoded((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

/** Returns whether the value is no object, and JSON has it, or leaves it out. */
function isEncodedPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      return Number.isFinite(value);
    default:
      return value === null;
  }
}

/**
 * Encodes an `appData`, leaving out values that can't be sent. Never throws for them.
 * @returns undefined if there is nothing in it, as most often
 */
export function encodeAppData(appData: unknown, handleOf: HandleOf): unknown {
  return isEmpty(appData) ? undefined : (encodeOwn(appData, handleOf, { count: 0 }, newRoom(), 0) ?? {});
}

function isEmpty(appData: unknown): boolean {
  return (
    typeof appData === 'object' &&
    appData !== null &&
    Object.getPrototypeOf(appData) === Object.prototype &&
    Object.keys(appData).length === 0
  );
}

function encodeDeep(value: unknown, handleOf: HandleOf, buffers: BufferCount, depth: number, path?: string): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError(`${path} is a ${typeof value}, which can't be sent to another process`);
  }
  if (typeof value === 'bigint') return { [BIGINT]: String(value) };
  if (typeof value === 'number' && !Number.isFinite(value)) return { [NUMBER]: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH)
    throw new TypeError(`${path} is nested more than ${MAX_DEPTH} levels deep, or contains itself`);
  if (Array.isArray(value)) {
    return value.map((element, index) =>
      element === undefined
        ? { [UNDEFINED]: true }
        : encodeDeep(element, handleOf, buffers, depth + 1, path && `${path}[${index}]`),
    );
  }
  // A plain object, by far the most frequent case, is neither a Buffer nor an object with a handle.
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    if (value instanceof Uint8Array) {
      if (++buffers.count > MAX_BUFFERS) throw new RangeError(`more than ${MAX_BUFFERS} Buffers can't be sent at once`);
      return value;
    }
    const handle = handleOf(value, false);
    if (handle !== undefined) return { [REFERENCE]: handle };
    if (value instanceof EventEmitter)
      throw new TypeError(`${path} is an object that the other process does not know: it may be closed`);
  }
  if (hasToJSON(value)) return encodeDeep(value.toJSON(), handleOf, buffers, depth + 1, path);
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw new TypeError(`${path} has a key __proto__, which can't be sent to another process`);
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    if (key === APP_DATA && typeof member === 'object' && member !== null)
      result[key] = encodeOwn(member, handleOf, buffers, newRoom(), depth + 1) ?? {};
    else result[escape(key)] = encodeDeep(member, handleOf, buffers, depth + 1, path && `${path}.${key}`);
  }
  return result;
}

/** Remaining limits while an `appData` is encoded. */
interface Room {
  values: number;
  length: number;
  /** Objects that contain the present value, to detect cycles. */
  readonly ancestors: Set<object>;
}

function newRoom(): Room {
  return { values: MAX_APP_DATA_VALUES, length: MAX_APP_DATA_LENGTH, ancestors: new Set() };
}

/** Encodes a value in an `appData`; undefined if it can't be sent. */
function encodeOwn(value: unknown, handleOf: HandleOf, buffers: BufferCount, room: Room, depth: number): unknown {
  if (--room.values < 0 || typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value === 'string') return fits(room, value.length) ? value : undefined;
  if (typeof value === 'bigint') return BIGINT_DIGITS.test(String(value)) ? { [BIGINT]: String(value) } : undefined;
  if (typeof value === 'number' && !Number.isFinite(value)) return { [NUMBER]: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH || room.ancestors.has(value)) return undefined;
  if (value instanceof Uint8Array)
    return fits(room, value.byteLength) && buffers.count++ < MAX_BUFFERS ? value : undefined;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  const handle = isPlain ? undefined : handleOf(value, true);
  if (handle !== undefined) return { [REFERENCE]: handle };
  // Sockets and other emitters mean nothing outside their process.
  if (value instanceof EventEmitter) return undefined;
  room.ancestors.add(value);
  try {
    if (hasToJSON(value)) return encodeOwn(value.toJSON(), handleOf, buffers, room, depth + 1);
    if (Array.isArray(value)) {
      return value.map(element => {
        const encoded = encodeOwn(element, handleOf, buffers, room, depth + 1);
        return encoded === undefined ? { [UNDEFINED]: true } : encoded;
      });
    }
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      const encoded =
        key === '__proto__'
          ? undefined
          : encodeOwn((value as Record<string, unknown>)[key], handleOf, buffers, room, depth + 1);
      if (encoded !== undefined && fits(room, key.length)) result[escape(key)] = encoded;
    }
    return result;
  } catch {
    // A getter of the application's, or its toJSON(), has thrown.
    return undefined;
  } finally {
    room.ancestors.delete(value);
  }
}

function fits(room: Room, length: number): boolean {
  if (length > room.length) return false;
  room.length -= length;
  return true;
}

function escape(key: string): string {
  return key.charCodeAt(0) === DOLLAR || key === PLACEHOLDER ? `$${key}` : key;
}

function unescape(key: string): string {
  return key.charCodeAt(0) === DOLLAR && (key.charCodeAt(1) === DOLLAR || key === `$${PLACEHOLDER}`)
    ? key.slice(1)
    : key;
}

function hasToJSON(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/**
 * Decodes a value in place.
 * @param value is modified; frozen data in it has been decoded already
 * @param isAppData whether references to closed objects become undefined, as they do in each `appData`
 * @throws {NotFoundError} for a reference to an object that is unknown or closed
 * @throws {TypeError} for a malformed reference, bigint or number, for too deep nesting, and for a key `__proto__`
 */
export function decode(
  value: unknown,
  objectOf: (handle: number) => object | undefined,
  isAppData = false,
  depth = 0,
): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Object.isFrozen(value)) return value;
  if (depth > MAX_DEPTH) throw new TypeError(`data nested more than ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; ++index) {
      const element: unknown = value[index];
      if (typeof element !== 'object' || element === null) continue;
      const decoded = decode(element, objectOf, isAppData, depth + 1);
      if (decoded !== element) value[index] = decoded;
    }
    return value;
  }
  const data = value as Record<string, unknown>;
  const keys = Object.keys(data);
  if (keys.length === 1) {
    const name = keys[0]!;
    const content = data[name];
    if (name === REFERENCE) return resolve(content, objectOf, isAppData);
    if (name === BIGINT) return toBigInt(content);
    if (name === NUMBER) return toNumber(content);
    if (name === UNDEFINED) return undefined;
  }
  let isEscaped = false;
  for (const key of keys) {
    if (key === '__proto__') throw new TypeError('data with a key __proto__');
    const member = data[key];
    if (typeof member === 'object' && member !== null) {
      const decoded = decode(member, objectOf, isAppData || key === APP_DATA, depth + 1);
      // Mostly it is the same object, and need not be stored again.
      if (decoded !== member) data[key] = decoded;
    }
    isEscaped ||= key.charCodeAt(0) === DOLLAR;
  }
  return isEscaped ? Object.fromEntries(keys.map(key => [unescape(key), data[key]])) : data;
}

function toNumber(name: unknown): number {
  if (!NO_JSON_NUMBERS.includes(name)) throw new TypeError('a number that JSON has, or none');
  return Number(name);
}

function toBigInt(digits: unknown): bigint {
  if (typeof digits !== 'string' || !BIGINT_DIGITS.test(digits)) throw new TypeError('a bigint that is none');
  return BigInt(digits);
}

function resolve(
  handle: unknown,
  objectOf: (handle: number) => object | undefined,
  isOptional: boolean,
): object | undefined {
  if (typeof handle !== 'number') throw new TypeError(`a reference that is none (${String(handle)})`);
  const object = objectOf(handle);
  if (!object && !isOptional) throw new NotFoundError(`a reference to an unknown object (${handle}): it may be closed`);
  return object;
}
