/**
 * Messages carried by a Session, which delivers them in order and exactly once, also across lost connections. Socket
 * events outside a session are in `socketEvents.ts`.
 */
import type { RouterOptions, RouterRtpCapabilities } from 'mediasoup/types';
import { MAX_DURATION_MS } from '../../api/optionTypes.ts';
import type { Family } from '../../core/addresses/families.ts';
import type { ClassName } from './classes.ts';
import type { WireError } from './errors.ts';

export const PROTOCOL_VERSION = 1;
/** Path of a server's URL. */
export const DEFAULT_PATH = '/mafalda';
/** Bytes that a client may send in one message, unless the server's welcome names another limit. */
export const DEFAULT_MAX_PAYLOAD = 1_000_000;

/**
 * Longest interval between load reports, in ms: clients take a server for silent after a few missing reports, and must
 * stay within the limit of timers.
 */
export const MAX_LOAD_INTERVAL_MS = Math.floor(MAX_DURATION_MS / 4);

/** A MafaldaRouter by its id, another object by the handle that the server gave it, or one of the targets below. */
export type Target = string | number;
/** Target of calls on the server's Mafalda. */
export const MAFALDA_TARGET = 0;
/** Target of calls on the mediasoup module behind it. */
export const MEDIASOUP_TARGET = -1;

export type Changes = Record<string, unknown>;

/** An object that is new, or that existed when the client attached to its MafaldaRouter. */
export interface Addition {
  handle: number;
  className: ClassName;
  /** The id of the object; of a Worker, its key in the `workers` Map. */
  id: string;
  /** Handle of the parent; a Worker has none. */
  parent?: number;
  /** Missing if there is nothing in it. */
  appData?: unknown;
  /** All of its properties that are not undefined. */
  state: Changes;
  /** Address families by which pipes reach a Router, best first. */
  families?: readonly Family[];
  /** Time at which a Producer or DataProducer was made, in ms since 1970, by the clock of its machine. */
  producedAt?: number;
  /** Idempotency key of the call that has created it, if it had one. */
  key?: string;
}

/** Event that gives the reason why an object closes, such as `producerclose`; `died` comes with an error. */
export interface CloseCause {
  name: string;
  error?: WireError;
}

export type ClientMessage =
  /** `key`: idempotency key, which the created object bears in its `add`. */
  | { type: 'call'; id: number; target: Target; method: string; args: unknown[]; key?: string }
  | { type: 'send'; target: Target; method: string; args: unknown[] }
  /** Subscribes to an event that only listeners get, or unsubscribes from it. */
  | { type: 'listen'; handle: number; name: string; listening: boolean }
  /** Asks to be told which MafaldaRouters the server holds, from now on. */
  | { type: 'followRooms' }
  /** Fills a slot, to which `{ $capabilities: slot }` refers from now on: see `capabilities.ts`. */
  | { type: 'capabilities'; slot: number; rtpCapabilities: unknown };

export type ServerMessage =
  /** `load` is the server's, if it has changed since it was last sent. */
  | { type: 'answer'; id: number; result: unknown; load?: number }
  | { type: 'failure'; id: number; error: WireError }
  /**
   * Announces an object; without `mafaldaRouter`, it is in a client's own Worker. For a handle that the client knows,
   * the state replaces the known state: the client has missed messages, and the state makes up for the changes in them.
   */
  | { type: 'add'; mafaldaRouter?: string; addition: Addition }
  /** Fills a slot, to which `{ $list: slot }` in the state of objects refers from now on: see `lists.ts`. */
  | { type: 'list'; slot: number; list: unknown[] }
  | { type: 'event'; handle: number; name: string; args: unknown[]; changes?: Changes }
  | { type: 'change'; handle: number; changes: Changes }
  | { type: 'close'; handle: number; cause?: CloseCause }
  | { type: 'forget'; handle: number }
  /** Another client has taken over these objects, which this client had made. */
  | { type: 'disown'; handles: number[] }
  | { type: 'closeMafaldaRouter'; mafaldaRouter: string }
  /**
   * Part of the list of all MafaldaRouters that the server holds, which replaces what the client knew of them. `held`
   * and `released` may come between the parts.
   */
  | { type: 'heldRooms'; ids: readonly string[]; isFirst: boolean; isLast: boolean }
  /** MafaldaRouters that have got their first Router at the server. */
  | { type: 'held'; ids: readonly string[] }
  /** MafaldaRouters that have lost their last Router at the server. */
  | { type: 'released'; ids: readonly string[] };

/** Result of `findMafaldaRouter()`. */
export interface FoundMafaldaRouter {
  /** Whether all have answered that were asked, and each of them all of what it knows. */
  isComplete: boolean;
  /** Attachment number, as `createMafaldaRouter()` returns it; undefined if there is no such MafaldaRouter. */
  number?: number;
  /** Options that were given by others; without members if none were. */
  routerOptions?: RouterOptions;
}

/** Data that a client sends in the handshake. */
export interface Credentials {
  protocol: number;
  token?: string;
  /** The session to go on with, and how many of its messages have arrived at the client. */
  session?: { id: string; received: number };
  /** Id of a session that the client has given up; the server closes its objects before another session begins. */
  endSessionId?: string;
  /** Name of the client; the server closes the objects of other instances of this name as well. */
  name?: string;
  /** Random string that distinguishes clients of the same name; required with a name. */
  instance?: string;
  /** Whether the client knows further servers, to which it moves when this one closes; default: false. */
  canMove?: boolean;
  /** Whether the client understands `list`; default: false. */
  lists?: boolean;
}

/** Objects that a client has closed in a lost session, without knowing whether the server has received that. */
export interface Unconfirmed {
  mafaldaRouter: string;
  /** Handles of closed objects. */
  handles: number[];
  /** Attachment number of the MafaldaRouter, if it was closed itself; a later MafaldaRouter of its id has another. */
  number?: number;
}

/** Content of the server's first event on each connection. */
export interface Welcome {
  protocol: number;
  /** Largest WebSocket frame that the server accepts, in bytes. */
  maxPayload: number;
  /** Time that a session outlives its connection, in ms. Then both sides close the objects in it. */
  sessionTimeout: number;
  /** Interval between load reports, in ms; they are a sign of life, beside socket.io's pings. */
  loadInterval: number;
  /** Random id that differs after each start of the server. */
  serverId: string;
  /** Location of the server, as its operator names it. */
  region?: string;
  /** Further properties of the server, as its operator names them. */
  labels: Readonly<Record<string, string>>;
  /** Load in percent from which on the server takes nothing new; a server without it takes everything. */
  maxLoad?: number;
  mediasoup: MediasoupInfo;
  /** Session of this connection. A different id means that the requested session has ended. */
  session: { id: string; received: number };
}

/** Static information of the server's mediasoup module. */
export interface MediasoupInfo {
  version: string;
  /** A path at the server. */
  workerBin: string;
  supportedRtpCapabilities: RouterRtpCapabilities;
}
