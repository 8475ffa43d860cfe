/** Settings of a directory on Redis. */
import * as v from 'valibot';
import { optionsOf, secret } from '../../api/optionsSchema.ts';
import { text } from '../../api/optionTypes.ts';
import { redisDirectoryOptions } from '../../redis/redisDirectoryOptions.ts';
import { renamed, settingsOf, type SettingSource } from './setting.ts';

/** Settings of a directory on Redis, beside its options. */
export interface RedisSettings {
  /**
   * URL of a Redis with a directory, such as `rediss://user:password@redis.example:6379`: there a media server says
   * where it is, and a central server finds its nodes.
   * @default none
   */
  redis?: string;
}

export const redisSource: SettingSource = { title: 'The directory', interfaces: ['RedisDirectoryOptions'] };

const options = settingsOf(redisSource, redisDirectoryOptions);

export const redisSettings = {
  ...settingsOf(
    { title: redisSource.title, interfaces: ['RedisSettings'] },
    optionsOf<RedisSettings>()({ redis: v.optional(secret(text)) }),
  ),
  ...renamed(options, options, 'redis'),
};
