import { inspect } from 'node:util';

/** Characters of a given text that an error repeats. */
const MAX_SHOWN = 50;

/**
 * Describes a value that was given for an option, for an error: `it is "4443" (a string)`.
 * @param isSecret whether only its type may be shown
 */
export function describeGiven(value: unknown, isSecret = false): string {
  if (value === undefined) return 'it is missing';
  if (value === '') return 'it is an empty string';
  if (typeof value === 'string')
    return isSecret ? 'it is a string' : `it is ${JSON.stringify(shortened(value))} (a string)`;
  if (value === null) return 'it is null';
  if (typeof value === 'object') return `it is ${describeObject(value)}`;
  if (typeof value === 'function') return 'it is a function';
  const type = typeof value;
  return isSecret ? `it is a ${type}` : `it is ${shortened(inspect(value))} (a ${type})`;
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const { constructor } = value;
  const isPlain = typeof constructor !== 'function' || constructor === Object;
  return isPlain ? 'an object' : `an object of class ${constructor.name}`;
}

function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
