/**
 * Shapes of values that come from a wire: tables by which mediasoup's options are checked, at the cost of a look at
 * each value. The compiler refuses a shape that differs from mediasoup's type in the names of its members.
 */
import { EventEmitter } from 'node:events';

/** Returns the name of the class of an object of mediasoup's, or undefined for any other object. */
export type ClassOf = (object: object) => string | undefined;

export interface Wrong {
  /** Path of the value, and what it must be: `.codecs[0].mimeType must be a string`. */
  readonly text: string;
  readonly ErrorClass: new (message: string) => Error;
}

/** Check of a value that is a `T`, or more. */
export interface Shape<in T> {
  /** Name of the check, for the errors: `a number`. */
  readonly label: string;
  /** Whether null stands for a missing value. */
  readonly takesNull: boolean;
  /** Returns the first value that is wrong; nothing else is made of a value that is right. */
  check(value: unknown, classOf: ClassOf): Wrong | undefined;
  /** Only for the compiler: a shape of strings serves for a union of strings, not for numbers. */
  readonly accepts?: (value: T) => void;
}

/** Shape of an options object, by the names of its members. */
export interface ObjectShape<in T> extends Shape<T> {
  readonly members: Readonly<Record<string, Shape<never>>>;
}

/** Elements of a list; more than any real client sends. mediasoup's time grows with the product of two lengths. */
const MAX_LIST = 100;
/** Elements of a list of numbers, each of which is processed once, and of a list that mediasoup does not read. */
const MAX_NUMBERS = 1000;
const MAX_TEXT = 20_000;
/** Characters of an object's name, which is part of many messages. */
const MAX_NAME = 2000;

export const text = primitive<string>(
  `a string of at most ${MAX_TEXT} characters`,
  value => typeof value === 'string' && value.length <= MAX_TEXT,
);

/** The name of an object that is to be made. */
export const name = primitive<string>(
  `a string of at most ${MAX_NAME} characters`,
  value => typeof value === 'string' && value.length <= MAX_NAME,
);

/** Accepts NaN and infinite numbers, as mediasoup does. */
export const number = primitive<number>('a number', value => typeof value === 'number');

export const flag = primitive<boolean>('a boolean', value => typeof value === 'boolean');

export const data = primitive<string | Uint8Array>(
  'a string or a Buffer',
  value => (typeof value === 'string' && value.length <= MAX_TEXT) || value instanceof Uint8Array,
);

/** A number that mediasoup converts to a bigint: it would throw in the middle of a message to its Worker. */
export const integer: Shape<number> = {
  label: 'an integer',
  takesNull: false,
  check: value => {
    if (typeof value !== 'number') return { text: ' must be an integer', ErrorClass: TypeError };
    return Number.isInteger(value) ? undefined : { text: ' must be an integer', ErrorClass: RangeError };
  },
};

/** Free content: the application's own, or what mediasoup, or the called method, checks itself. */
export const anything = primitive<unknown>('anything', () => true);

/** Parameters of a codec or of a header extension, which mediasoup checks one by one. */
export const parameters = primitive<Record<string, unknown>>(
  `an object with at most ${MAX_LIST} members`,
  value => isObject(value) && Object.keys(value).length <= MAX_LIST,
);

export const numbers = list(number, 'numbers', MAX_NUMBERS);
export const texts = list(text, 'strings');

/** @param words the elements in the plural, for the errors */
export function list<T>(element: Shape<T>, words: string, max = MAX_LIST): Shape<readonly T[]> {
  const label = `an array of ${words}, at most ${max}`;
  const wrong: Wrong = { text: ` must be ${label}`, ErrorClass: TypeError };
  return {
    label,
    takesNull: true,
    check: (value, classOf) => {
      if (!Array.isArray(value) || value.length > max) return wrong;
      if (Object.isFrozen(value)) return undefined;
      for (let index = 0; index < value.length; ++index) {
        const inner = element.check(value[index], classOf);
        if (inner) return { ...inner, text: `[${index}]${inner.text}` };
      }
      return undefined;
    },
  };
}

/** An object of mediasoup's. */
export function reference<T>(className: string): Shape<T> {
  return {
    label: `a ${className}`,
    takesNull: true,
    check: (value, classOf) =>
      value instanceof EventEmitter && classOf(value) === className
        ? undefined
        : { text: ` must be a ${className}`, ErrorClass: TypeError },
  };
}

/** A value of one of two shapes. */
export function either<A, B>(label: string, one: Shape<A>, other: Shape<B>): Shape<A | B> {
  return {
    label,
    takesNull: true,
    check: (value, classOf) => (typeof value === 'object' ? other.check(value, classOf) : one.check(value, classOf)),
  };
}

/** Names of all members, also of those that only some variants of a type have. */
type KeyOf<T> = T extends unknown ? keyof T : never;
type Member<T, Name> = T extends unknown ? (Name extends keyof T ? NonNullable<T[Name]> : never) : never;
type Members<T> = { readonly [Name in KeyOf<T>]: Shape<Member<T, Name>> };

/**
 * An object of options: members that mediasoup does not know, and so does not read, may be anything that does no harm.
 * The compiler refuses a table of members that lacks a name, or has a name that mediasoup does not have.
 */
export function object<T>() {
  return <const M extends Members<T>>(
    members: M & Readonly<Record<Exclude<keyof M, KeyOf<T>>, never>>,
  ): ObjectShape<T> => {
    const shapes = new Map<string, Shape<never>>(Object.entries(members));
    const label = 'an object';
    return {
      label,
      takesNull: true,
      members,
      check: (value, classOf) => {
        if (!isObject(value)) return { text: ` must be ${label}`, ErrorClass: TypeError };
        // Frozen data has been checked before.
        if (Object.isFrozen(value)) return undefined;
        for (const key of Object.keys(value)) {
          const member = (value as Record<string, unknown>)[key];
          const shape = shapes.get(key);
          if (member === undefined || (member === null && shape?.takesNull !== false)) continue;
          const wrong = shape ? shape.check(member, classOf) : checkUnknown(member);
          if (wrong) return { ...wrong, text: `.${key}${wrong.text}` };
        }
        return undefined;
      },
    };
  };
}

/** Checks a value that mediasoup does not read, but may copy. */
export function checkUnknown(value: unknown): Wrong | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
  if (value instanceof EventEmitter) return { text: " must not be an object of mediasoup's", ErrorClass: TypeError };
  if (Array.isArray(value) && value.length > MAX_NUMBERS)
    return { text: ` must have at most ${MAX_NUMBERS} elements`, ErrorClass: TypeError };
  for (const key of Object.keys(value)) {
    const wrong = checkUnknown((value as Record<string, unknown>)[key]);
    if (wrong) return { ...wrong, text: Array.isArray(value) ? `[${key}]${wrong.text}` : `.${key}${wrong.text}` };
  }
  return undefined;
}

function primitive<T>(label: string, is: (value: unknown) => boolean): Shape<T> {
  const wrong: Wrong = { text: ` must be ${label}`, ErrorClass: TypeError };
  return { label, takesNull: true, check: value => (is(value) ? undefined : wrong) };
}

/** Accepts plain objects, but no object of mediasoup's, which is an EventEmitter. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof EventEmitter);
}
