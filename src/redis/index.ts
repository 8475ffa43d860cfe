export { RedisDirectory } from './redisDirectory.ts';
export type { RedisDirectoryOptions } from './redisDirectoryOptions.ts';
export type { Timing } from './timing.ts';
export type { RedisClient } from './redisClient.ts';
