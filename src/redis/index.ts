export { RedisDirectory, type RedisDirectoryOptions } from './redisDirectory.ts';
export type { Timing } from './timing.ts';
export type { RedisClient } from './redisClient.ts';
