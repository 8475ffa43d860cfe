/** The part of node-redis that a directory uses: `createClient()`, `createCluster()` and `createSentinel()` have it. */

/** A client of node-redis, which serves as a pattern: the directory connects duplicates of it. */
export interface RedisClient {
  /** Options that the client was made with. */
  readonly options?: { readonly RESP?: number };
  /** Returns another client with the same options, which is not connected. */
  duplicate(): RedisClient;
  /** Connects the client. */
  connect(): Promise<unknown>;
  /** Ends the connection at once. */
  destroy(): unknown;
  /** Adds a listener for errors of the connection. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Runs a Lua script that only reads, for which a user needs no right to write. */
  evalRo(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Runs a Lua script on the server. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Listens to channels. */
  subscribe(channels: string[], listener: (message: string, channel: string) => void): Promise<unknown>;
  /** Stops listening to channels. */
  unsubscribe(channels: string[]): Promise<unknown>;
}
