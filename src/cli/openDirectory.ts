/** Directory on Redis for the commands that serve. Its library is loaded only when it is asked for. */
import type { Directory } from '../horizontal/index.ts';
import type { Terminal } from './terminal.ts';

/** Returns the directory, whose outages are told; undefined if there is none. */
export async function openDirectory(
  { redis, redisPrefix: prefix }: { redis?: string; redisPrefix?: string },
  terminal: Terminal,
): Promise<Directory | undefined> {
  if (redis === undefined) return undefined;
  const { RedisDirectory } = await import('../redis/index.ts');
  const directory = new RedisDirectory(redis, { prefix });
  directory.on('error', error => terminal.err(`directory: ${error.message}`));
  directory.on('recovered', () => terminal.out('directory: can be used again'));
  return directory;
}
