/** The part of node-redis that a directory uses: `createClient()`, `createCluster()` and `createSentinel()` have it. */

/** A client of node-redis, which serves as a pattern: the directory connects duplicates of it. */
export interface RedisClient {
  readonly options?: { readonly RESP?: number };
  duplicate(): RedisClient;
  connect(): Promise<unknown>;
  destroy(): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  subscribe(channels: string[], listener: (message: string, channel: string) => void): Promise<unknown>;
  unsubscribe(channels: string[]): Promise<unknown>;
}
