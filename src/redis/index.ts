export { RedisDirectory, type RedisDirectoryOptions } from './redisDirectory.ts';
export type { RedisClient } from './redisClient.ts';
