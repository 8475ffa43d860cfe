/**
 * What client and server say to each other. Each message is one element of a session (`session.ts`), which delivers
 * them in order and exactly once, also across lost connections.
 */
import type { ClassName } from './classes.ts';
import type { WireError } from './errors.ts';

export const PROTOCOL_VERSION = 1;
/** Bytes that a client may send in one message, unless the server says otherwise. */
export const DEFAULT_MAX_PAYLOAD = 1_000_000;

/** A MafaldaRouter by its id, or any other object by the handle that the server gave it. */
export type Target = string | number;
/** The server's Mafalda. */
export const MAFALDA = 0;

export type Changes = Record<string, unknown>;

/** A new object, or one that was there when its MafaldaRouter was attached to. */
export interface Addition {
  handle: number;
  className: ClassName;
  /** The id of the object; of a Worker, its key in the `workers` Map. */
  id: string;
  /** Handle of the parent; of a Worker none. */
  parent?: number;
  appData: unknown;
  /** All of its properties. */
  state: Changes;
}

/** An event that tells why an object closes, such as `producerclose`; `died` comes with an error. */
export interface CloseCause {
  name: string;
  error?: WireError;
}

export type ClientMessage =
  | { type: 'call'; id: number; target: Target; method: string; args: unknown[] }
  | { type: 'send'; target: Target; method: string; args: unknown[] };

export type ServerMessage =
  | { type: 'answer'; id: number; result: unknown }
  | { type: 'failure'; id: number; error: WireError }
  | { type: 'add'; mafaldaRouter: string; addition: Addition }
  | { type: 'event'; handle: number; name: string; args: unknown[]; changes?: Changes }
  | { type: 'change'; handle: number; changes: Changes }
  | { type: 'close'; handle: number; cause?: CloseCause }
  | { type: 'forget'; handle: number }
  | { type: 'closeMafaldaRouter'; mafaldaRouter: string };

/** What a client says of itself in the handshake. */
export interface Credentials {
  protocol: number;
  token?: string;
  /** The session to go on with, and how many of its messages have arrived here. */
  session?: { id: string; received: number };
}

/** The server's first word on each connection. */
export interface Welcome {
  protocol: number;
  /** How large a message may be, in bytes. */
  maxPayload: number;
  /** How long a session outlives its connection, in ms. Then both sides close what was in it. */
  sessionTimeout: number;
  /** Another one after each start of the server. */
  serverId: string;
  /** If it isn't the one that the client asked for, that one is over. */
  session: { id: string; received: number };
}

/** A report that may get lost, and needs no order. */
export interface LoadReport {
  /** Percent of all cores. */
  load: number;
}
