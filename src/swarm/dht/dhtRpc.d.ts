/** Types of dht-rpc, which has none: what is used of it here. */
declare module 'dht-rpc' {
  import type { EventEmitter } from 'node:events';

  export interface Address {
    host: string;
    port: number;
  }

  export interface DhtSocket extends EventEmitter {
    readonly bound: boolean;
    bind(port: number, host: string): void;
    address(): { address: string; host: string; port: number; family: number };
    trySend(datagram: Buffer, port: number, host: string): void;
    close(): Promise<void>;
  }

  /** Where it gets its sockets from: the first is the server's, the second the client's. */
  export interface DhtSockets {
    createSocket(): DhtSocket;
    watchNetworkInterfaces(): EventEmitter & { destroy(): void };
  }

  export interface DhtRequest {
    readonly from: Address;
    readonly command: number;
    readonly target: Buffer | null;
    readonly value: Buffer | null;
    /** Given if the requester has echoed a token of this node, which proves its address. */
    readonly token: Buffer | null;
    reply(value: Buffer | null, options?: { token?: boolean; closerNodes?: boolean }): void;
    error(code: number): void;
  }

  export interface DhtReply {
    readonly from: Address;
    readonly error: number;
    readonly value: Buffer | null;
    readonly token: Buffer | null;
  }

  export interface DhtQuery extends AsyncIterable<DhtReply> {
    readonly closestReplies: readonly DhtReply[];
    destroy(): void;
  }

  export interface DhtQueryOptions {
    /** Repeats of a request that is not answered in time. */
    retries?: number;
    /** Peers to begin with, the first ones first; default: those of the routing table. */
    nodes?: readonly Address[];
    /** Requests at a time; default: 10. */
    concurrency?: number;
  }

  export interface DhtOptions {
    host?: string;
    udx?: DhtSockets;
    /** Shortest wait for an answer in ms, and the number of peers and time in ms for which earlier waits are known. */
    adaptiveTimeout?: { min: number; maxSize: number; maxAge: number };
    ephemeral?: boolean;
    firewalled?: boolean;
    anyPort?: boolean;
  }

  export default class DHT extends EventEmitter {
    static bootstrapper<T extends DHT>(
      this: new (...given: never[]) => T,
      port: number,
      host: string,
      options?: DhtOptions,
    ): T;
    /** Key of this node in the DHT, which follows from its address; null before it is bootstrapped. */
    readonly id: Buffer | null;
    fullyBootstrapped(): Promise<void>;
    toArray(options?: { limit?: number }): Address[];
    /** Rejects if there is no answer within four seconds. */
    ping(to: Address): Promise<unknown>;
    request(
      request: { command: number; target?: Buffer; value?: Buffer; token?: Buffer | null },
      to: Address,
      options?: { retry?: boolean },
    ): Promise<DhtReply>;
    query(request: { target: Buffer; command: number; value?: Buffer }, options?: DhtQueryOptions): DhtQuery;
    destroy(): Promise<void>;
    /** Called for a peer for which its row of the table has no place. */
    _onfullrow(newNode: unknown, row: unknown): void;
  }
}
