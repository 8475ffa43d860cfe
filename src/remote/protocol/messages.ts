/**
 * What client and server say to each other. Each message is one element of a session (`session.ts`), which delivers
 * them in order and exactly once, also across lost connections.
 */
import type { RouterRtpCapabilities } from 'mediasoup/types';
import { MAX_DURATION_MS } from '../../api/checkDuration.ts';
import type { Family } from '../../core/addresses/families.ts';
import type { ClassName } from './classes.ts';
import type { WireError } from './errors.ts';

export const PROTOCOL_VERSION = 1;
/** Of a server's URL. */
export const DEFAULT_PATH = '/mafalda';
/** Bytes that a client may send in one message, unless the server says otherwise. */
export const DEFAULT_MAX_PAYLOAD = 1_000_000;

/** How rarely a server may report its load, in ms: clients wait for a few reports before they take it for silent, and timers have a limit. */
export const MAX_LOAD_INTERVAL_MS = Math.floor(MAX_DURATION_MS / 4);

/** A MafaldaRouter by its id, or any other object by the handle that the server gave it. */
export type Target = string | number;
/** The server's Mafalda. */
export const MAFALDA = 0;
/** The mediasoup module behind it. */
export const MEDIASOUP = -1;

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
  /** All of its properties, but those that are undefined. */
  state: Changes;
  /** Of a Router: over IPv4, IPv6 or both pipes reach it, best first. */
  families?: readonly Family[];
}

/** An event that tells why an object closes, such as `producerclose`; `died` comes with an error. */
export interface CloseCause {
  name: string;
  error?: WireError;
}

export type ClientMessage =
  | { type: 'call'; id: number; target: Target; method: string; args: unknown[] }
  | { type: 'send'; target: Target; method: string; args: unknown[] }
  /** From now on it wants, or does not want, to be told of an event that only listeners are told of. */
  | { type: 'listen'; handle: number; name: string; listening: boolean }
  /** From now on `{ $capabilities: slot }` stands for these: see `capabilities.ts`. */
  | { type: 'capabilities'; slot: number; rtpCapabilities: unknown };

export type ServerMessage =
  /** `load` is that of the server, if it has changed since it was told. */
  | { type: 'answer'; id: number; result: unknown; load?: number }
  | { type: 'failure'; id: number; error: WireError }
  /**
   * Without a MafaldaRouter: in a Worker that the client has made for itself. With a handle that is known already, the
   * state is what counts: the client has missed messages, of which this makes up for the changes.
   */
  | { type: 'add'; mafaldaRouter?: string; addition: Addition }
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
  /** A session that the client has given up: what it has made is to be closed, before another one begins. */
  abandoned?: string;
  /** What others have made under this name, and left, is to be closed as well. */
  name?: string;
  /** Tells those apart that have the same name. With a name it must be there. */
  instance?: string;
}

/** What a client has closed in a session that it has lost, without knowing whether the server has heard of it. */
export interface Unconfirmed {
  mafaldaRouter: string;
  /** Objects. */
  handles: number[];
  /** The MafaldaRouter itself, if it is the one that was attached to by this number. */
  number?: number;
}

/** The server's first word on each connection. */
export interface Welcome {
  protocol: number;
  /** How large a message may be, in bytes. */
  maxPayload: number;
  /** How long a session outlives its connection, in ms. Then both sides close what was in it. */
  sessionTimeout: number;
  /** How often it reports its load, in ms: a sign of life, beside socket.io's pings. */
  loadInterval: number;
  /** Another one after each start of the server. */
  serverId: string;
  /** Where it says it is, and what else its operator says of it. */
  region?: string;
  labels: Readonly<Record<string, string>>;
  mediasoup: MediasoupInfo;
  /** If it isn't the one that the client asked for, that one is over. */
  session: { id: string; received: number };
}

/** What mediasoup's module knows of itself. */
export interface MediasoupInfo {
  version: string;
  /** A path at the server. */
  workerBin: string;
  supportedRtpCapabilities: RouterRtpCapabilities;
}
