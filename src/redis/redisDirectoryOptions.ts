/** Options of a RedisDirectory, with their schema. */
import * as v from 'valibot';
import { expecting, optionsOf } from '../api/optionsSchema.ts';
import type { OptionType } from '../api/optionTypes.ts';

/** Options of a RedisDirectory. */
export interface RedisDirectoryOptions {
  /**
   * First part of the names of all keys and channels, of at most 100 characters: directories with different ones don't
   * see each other.
   * @default 'mafalda'
   */
  prefix?: string | undefined;
}

const MAX_NAME_LENGTH = 100;

/** Part of the name of a key. */
export const keyName: OptionType<string> = expecting(
  `a string of 1 to ${MAX_NAME_LENGTH} characters`,
  v.pipe(v.string(), v.nonEmpty(), v.maxLength(MAX_NAME_LENGTH)),
);

export const redisDirectoryOptions = optionsOf<RedisDirectoryOptions>()({ prefix: v.optional(keyName, 'mafalda') });
