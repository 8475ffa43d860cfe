/** Checks of the names of options that have no schema. */
import { isObject } from './optionTypes.ts';
import { unknownNames } from './unknownNames.ts';

/** Names of all options: the compiler refuses an object that lacks a name. */
export type OptionNames<Options> = { readonly [Name in keyof Required<Options>]: unknown };

/**
 * Checks that all members of `options` are known.
 * @throws {TypeError} if `options` is not an object, or has a member that is not in `known`
 */
export function refuseUnknown<Options extends object>(
  where: string,
  options: Options,
  known: OptionNames<NoInfer<Options>>,
): void {
  if (!isObject(options)) throw new TypeError(`${where}: options must be an object`);
  const message = unknownNames(options, Object.keys(known));
  if (message !== undefined) throw new TypeError(`${where}: ${message}`);
}
