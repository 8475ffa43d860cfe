/** Checks of what pages send: what they send is unknown until it has been looked at. */

/** Data of which only the names of its members are known. */
export type Untrusted<Data> = { [Name in keyof Data]?: unknown };

/** @throws {TypeError} if it is no text, empty or longer than `maxLength` */
export function text(value: unknown, what: string, maxLength = 100): string {
  const trimmed = typeof value === 'string' ? value.trim() : '';
  if (trimmed === '') throw new TypeError(`the ${what} is missing`);
  if (trimmed.length > maxLength) throw new TypeError(`the ${what} is longer than ${maxLength} characters`);
  return trimmed;
}

/** @throws {TypeError} if it is none of the choices */
export function oneOf<Choice extends string>(value: unknown, what: string, choices: readonly Choice[]): Choice {
  const choice = choices.find(known => known === value);
  if (choice === undefined) throw new TypeError(`the ${what} must be ${choices.join(' or ')}`);
  return choice;
}

/** @throws {TypeError} if it is not true or false */
export function flag(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${what} must be true or false`);
  return value;
}

/** An object for mediasoup, which checks all that is in it. @throws {TypeError} if it is no object */
export function forMediasoup<Parameters extends object>(value: unknown, what: string): Parameters {
  if (!isObject(value)) throw new TypeError(`the ${what} must be an object`);
  return value as Parameters;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
