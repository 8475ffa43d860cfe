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
    finished(): Promise<void>;
    destroy(): void;
  }

  export interface DhtOptions {
    bootstrap?: readonly string[];
    nodes?: readonly Address[];
    host?: string;
    udx?: DhtSockets;
    ephemeral?: boolean;
    firewalled?: boolean;
    anyPort?: boolean;
  }

  export default class DHT extends EventEmitter {
    static bootstrapper(port: number, host: string, options?: DhtOptions): DHT;
    fullyBootstrapped(): Promise<void>;
    toArray(options?: { limit?: number }): Address[];
    addNode(node: Address): void;
    refresh(): void;
    request(
      request: { command: number; target?: Buffer; value?: Buffer; token?: Buffer | null },
      to: Address,
      options?: { retry?: boolean },
    ): Promise<DhtReply>;
    query(request: { target: Buffer; command: number; value?: Buffer }, options?: object): DhtQuery;
    destroy(): Promise<void>;
  }
}
