/** setTimeout() takes no more. */
const MAX_MS = 2 ** 31 - 1;

/** @throws {TypeError} unless it is a number of milliseconds that a timer can be set to, `least` or more */
export function checkDuration(name: string, value: number, least: number): void {
  if (typeof value === 'number' && value >= least && value <= MAX_MS) return;
  throw new TypeError(`if given, ${name} must be a number of milliseconds, from ${least} to ${MAX_MS}`);
}
