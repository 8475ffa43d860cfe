import { nearestName } from './nearestName.ts';

/**
 * Limits of the names in an error's message: options may come from other processes, and are repeated only as far as
 * that helps.
 */
const MAX_NAMED = 5;
const MAX_NAME_LENGTH = 50;

/**
 * Returns a sentence that names the options that are not known, with the nearest known names; undefined if all are
 * known.
 * @param ignored names that are neither known nor refused
 */
export function unknownNames(
  options: unknown,
  known: readonly string[],
  ignored: readonly string[] = [],
): string | undefined {
  if (typeof options !== 'object' || options === null) return undefined;
  const unknown = Object.entries(options).flatMap(([key, value]) =>
    value !== undefined && !known.includes(key) && !ignored.includes(key) ? [key] : [],
  );
  if (unknown.length === 0) return undefined;
  const named = unknown.slice(0, MAX_NAMED).map(name => name.slice(0, MAX_NAME_LENGTH));
  const nearest = named.flatMap(name => nearestName(name, known) ?? []);
  const meant = nearest.length > 0 ? `, do you mean ${nearest.join(', ')}?` : '';
  return `unknown option ${named.join(', ')}${meant}; known are ${known.join(', ')}`;
}
