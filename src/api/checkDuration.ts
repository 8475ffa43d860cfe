/** Longest duration that setTimeout() takes, in ms. */
export const MAX_DURATION_MS = 2 ** 31 - 1;

/**
 * Checks an option that is a duration.
 * @throws {TypeError} unless it is undefined, or a number of milliseconds that a timer can be set to, from `least` to
 * `most`
 */
export function checkDuration(name: string, value: unknown, least: number, most = MAX_DURATION_MS): void {
  if (value === undefined || (typeof value === 'number' && value >= least && value <= most)) return;
  throw new TypeError(`if given, ${name} must be a number of milliseconds, from ${least} to ${most}`);
}
