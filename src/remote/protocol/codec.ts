/**
 * Arguments and results as plain data. Objects that both sides know become references (`{ $ref: handle }`), and what JSON
 * does not have becomes `{ $bigint: digits }` and, in an array, `{ $undefined: true }`; keys that begin with `$` get
 * another one, so that nobody's data is taken for one of these. Buffers stay: socket.io carries them.
 */
import { EventEmitter } from 'node:events';

const MAX_DEPTH = 32;
const REFERENCE = '$ref';
const BIGINT = '$bigint';
const UNDEFINED = '$undefined';
/** mediasoup's are of 64 bits: nobody makes this process read a million digits. */
const BIGINT_DIGITS = /^-?\d{1,20}$/;

/** @param handleOf the handle of an object that the other side knows, or undefined for data */
export function encode(value: unknown, handleOf: (object: object) => number | undefined, depth = 0, path = 'it'): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError(`${path} is a ${typeof value}, which can't be sent to another process`);
  }
  if (typeof value === 'bigint') return { [BIGINT]: String(value) };
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (depth > MAX_DEPTH) throw new TypeError(`${path} is nested more than ${MAX_DEPTH} levels deep, or contains itself`);
  const handle = handleOf(value);
  if (handle !== undefined) return { [REFERENCE]: handle };
  if (value instanceof EventEmitter) throw new TypeError(`${path} is an object that the other process does not know: it may be closed`);
  if (Array.isArray(value)) {
    return value.map((element, index) => (element === undefined ? { [UNDEFINED]: true } : encode(element, handleOf, depth + 1, `${path}[${index}]`)));
  }
  if (hasToJSON(value)) return encode(value.toJSON(), handleOf, depth + 1, path);
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) result[key.startsWith('$') ? `$${key}` : key] = encode(member, handleOf, depth + 1, `${path}.${key}`);
  }
  return result;
}

function hasToJSON(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** @throws {TypeError} for a reference that is unknown, a bigint that is none, or data that is nested too deep or means to poison prototypes */
export function decode(value: unknown, objectOf: (handle: number) => object | undefined, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (depth > MAX_DEPTH) throw new TypeError(`data nested more than ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value)) return value.map(element => decode(element, objectOf, depth + 1));
  const entries = Object.entries(value);
  if (entries.length === 1) {
    const [name, content] = entries[0]! as [string, unknown];
    if (name === REFERENCE) return resolve(content, objectOf);
    if (name === BIGINT) return toBigInt(content);
    if (name === UNDEFINED) return undefined;
  }
  const result: Record<string, unknown> = {};
  for (const [key, member] of entries) {
    if (key === '__proto__') throw new TypeError('data with a key __proto__');
    result[key.startsWith('$$') ? key.slice(1) : key] = decode(member, objectOf, depth + 1);
  }
  return result;
}

function toBigInt(digits: unknown): bigint {
  if (typeof digits !== 'string' || !BIGINT_DIGITS.test(digits)) throw new TypeError('a bigint that is none');
  return BigInt(digits);
}

function resolve(handle: unknown, objectOf: (handle: number) => object | undefined): object {
  const object = typeof handle === 'number' ? objectOf(handle) : undefined;
  if (!object) throw new TypeError(`a reference to an unknown object (${String(handle)}): it may be closed`);
  return object;
}
