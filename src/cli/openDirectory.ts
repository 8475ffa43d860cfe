/** Directory on Redis for the commands that serve. Its library is loaded only when it is asked for. */
import type { Directory } from '../horizontal/index.ts';
import type { RedisDirectoryOptions } from '../redis/redisDirectoryOptions.ts';
import { redisSettings, redisSource } from './settings/redisSettings.ts';
import { optionsFrom, type Values } from './settings/setting.ts';
import type { Terminal } from './terminal.ts';

/** Returns the directory, whose outages are told; undefined if there is none. */
export async function openDirectory(
  values: Values<typeof redisSettings>,
  terminal: Terminal,
): Promise<Directory | undefined> {
  const { redis } = values;
  if (redis === undefined) return undefined;
  const { RedisDirectory } = await import('../redis/index.ts');
  const directory = new RedisDirectory(redis, optionsFrom<RedisDirectoryOptions>(redisSource, redisSettings, values));
  directory.on('error', error => terminal.err(`directory: ${error.message}`));
  directory.on('recovered', () => terminal.out('directory: can be used again'));
  return directory;
}
