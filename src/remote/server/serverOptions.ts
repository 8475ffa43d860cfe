/** Options of a RemoteMafaldaServer, with their schema. */
import type { Server as HttpServer } from 'node:http';
import type { WorkerSettings } from 'mediasoup/types';
import * as v from 'valibot';
import { describeGiven } from '../../api/describeGiven.ts';
import { expecting, optionsOf, resolveOptions, rule, secret } from '../../api/optionsSchema.ts';
import {
  anyText,
  duration,
  finitePercentage,
  isObject,
  listOf,
  mediasoupOptions,
  pem,
  percentage,
  port,
  positiveInteger,
  text,
  texts,
} from '../../api/optionTypes.ts';
import type { MafaldaApi } from '../../api/types.ts';
import { workerSettings } from '../../api/shapes/options.ts';
import { addressConflict, addressOptions, type AddressOptions } from '../../core/addresses/addresses.ts';
import type { Directory } from '../../horizontal/directory/directory.ts';
import { checkedRecord, isNodeUrl } from '../../horizontal/directory/nodeRecord.ts';
import { DEFAULT_MAX_PAYLOAD, DEFAULT_PATH, MAX_LOAD_INTERVAL_MS } from '../protocol/messages.ts';
import { auth, type Auth } from './authenticate.ts';
import { limits, type Limits } from './limits.ts';
import { clientWorkerSettings, type ClientWorkerSetting } from './settingsPolicy.ts';
import { plainTargets, type PlainTarget } from './targets.ts';

/** Options of a RemoteMafaldaServer; only `auth` is required. */
export interface RemoteMafaldaServerOptions extends AddressOptions {
  /**
   * TCP port to listen on.
   * @default a free port: see the server's `url`
   */
  port?: number | undefined;
  /**
   * Address to listen on.
   * @default all addresses of this machine
   */
  host?: string | undefined;
  /**
   * Path of the WebSocket; clients give it as the path of the URL.
   * @default '/mafalda'
   */
  path?: string | undefined;
  /**
   * HTTP or HTTPS server to share, instead of `port`, `host`, `cert` and `key`. Its owner has to close it.
   * @default a server of its own
   */
  server?: HttpServer | undefined;
  /**
   * Certificate, PEM: with it and `key` the server listens with TLS.
   * @default no TLS
   */
  cert?: string | Buffer | undefined;
  /**
   * Private key of `cert`, PEM.
   * @default no TLS
   */
  key?: string | Buffer | undefined;
  /**
   * Certificate authority, PEM: only clients with a certificate that it has signed are let in. Needs `cert` and `key`.
   * @default clients need no certificate
   */
  ca?: string | Buffer | undefined;
  /**
   * Decides which clients are let in: the token that they have to show, a function that decides, or false for every
   * client that reaches the port. Required.
   */
  auth: Auth;
  /**
   * Token for `/metrics` of this port (`Authorization: Bearer …`), and for the reasons of `/readyz`; other than the
   * clients' token, since it may only look.
   * @default none: only this machine may see them
   */
  metricsToken?: string;
  /**
   * Origins of web pages that may connect, such as `https://example.com`. Browsers name the page's origin with each
   * connection, controllers name none.
   * @default []
   */
  origins?: readonly string[] | undefined;
  /**
   * Largest message that a client may send, in bytes.
   * @default 1000000
   */
  maxPayload?: number | undefined;
  /**
   * Time that a session outlives its connection, in ms. Then the MafaldaRouters that only this client was attached to
   * close, here and at the client.
   * @default 15000
   */
  sessionTimeout?: number | undefined;
  /**
   * Time after the end of such a session, in ms, for which the client's objects stay in MafaldaRouters that others are
   * attached to as well. Until then the server's `orphans` and `dump()` list them, and another client takes over a
   * Transport, with what is in it, by calling a method of it.
   * @default 300000
   */
  orphanTimeout?: number | undefined;
  /**
   * Limits of each client, and of all clients together.
   * @default the defaults of each limit
   */
  limits?: Partial<Limits> | undefined;
  /**
   * Settings of clients' Workers. Clients can't change the settings that are given here.
   * @default mediasoup's defaults
   */
  workerSettings?: WorkerSettings | undefined;
  /**
   * Names of the settings of their Workers that clients may choose; `[]` allows none. Each different choice takes
   * Workers of its own, and so cores.
   * @default all settings that are not in `workerSettings`, except for paths on this machine
   */
  clientWorkerSettings?: readonly ClientWorkerSetting[] | undefined;
  /**
   * Addresses that PlainTransports, PipeTransports and pipes to other servers may send to; if it is given, other
   * servers must be listed as well, and `comedia` is refused. WebRtcTransports send only to peers that agree to it.
   * @default any address
   */
  plainTargets?: readonly PlainTarget[] | undefined;
  /**
   * Interval of load reports to clients, in ms, from 100. A load that has changed by 3 percentage points is reported
   * within 100 ms, and answers to calls carry the load as well.
   * @default 1000
   */
  loadInterval?: number | undefined;
  /**
   * Load of the Mafalda, in percent, beyond which nothing new is taken: calls that create Transports, RtpObservers or
   * Workers fail with a `NodeFullError`, and a `MafaldaHorizontal` tries another server. Transports that are there go
   * on, and can produce and consume. Counted is what the Workers use, and what has been admitted and does not show yet.
   * @default no limit
   */
  maxLoad?: number | undefined;
  /**
   * Number of pipes of a stream that lead from here to other machines. Beyond it, a `MafaldaHorizontal` or a
   * `MafaldaSwarm` that asks for the stream is sent on to one of the machines that have it by then; if these are full as
   * well, the least used one serves it, up to four times this number. Only for a Mafalda with Workers of its own.
   * @default no limit
   */
  fanOut?: number | undefined;
  /**
   * Load of the Mafalda, in percent, from which on askers are sent on before there are `fanOut` pipes.
   * @default 66
   */
  watermarkFanOut?: number | undefined;
  /**
   * Location of this machine, in words of your own, for placement.
   * @default undefined
   */
  region?: string | undefined;
  /**
   * Further properties of this machine, for strategies of your own.
   * @default {}
   */
  labels?: Readonly<Record<string, string>> | undefined;
  /**
   * Directory in which the server writes itself and the MafaldaRouters that have Routers here, from `listen()` to `close()`,
   * so that controllers with the same directory find it. Needs `publicUrl`. Closing the directory remains the caller's
   * task.
   * @default none: controllers are given the server's URL
   */
  directory?: Directory | undefined;
  /**
   * URL by which controllers reach the server, such as `wss://media-1.example:4443`. Needs `directory`.
   * @default none
   */
  publicUrl?: string | undefined;
}

/** Options of `RemoteMafaldaServer.drain()`. */
export interface ServerDrainOptions {
  /**
   * Maximum time to wait, in ms.
   * @default none: until clients have nothing here
   */
  deadline?: number;
}

export const serverDrainOptions = optionsOf<ServerDrainOptions>()({ deadline: v.optional(duration(0)) });

/** A server of the application's, by the members that are needed, since it may be of any class. */
const httpServer = expecting(
  'an HTTP or HTTPS server of Node.js',
  v.custom<HttpServer>(value => isObject(value) && 'listen' in value && 'address' in value && 'on' in value),
);

const directory = expecting(
  'a directory, such as a RedisDirectory',
  v.custom<Directory>(value => isObject(value) && 'register' in value && typeof value.register === 'function'),
);

/** A URL that is wrong may have a password. */
const nodeUrl = secret(
  expecting(
    'a URL such as wss://media-1.example:4443, without user, password, and anything after its path',
    v.pipe(
      v.string(),
      v.check(url => isNodeUrl(url)),
    ),
  ),
);

export const serverOptions = v.pipe(
  optionsOf<RemoteMafaldaServerOptions>()({
    port: v.optional(port),
    host: v.optional(text),
    path: v.optional(
      expecting('a path that begins with /, such as /mafalda', v.pipe(v.string(), v.regex(/^\/[^?#]+$/))),
      DEFAULT_PATH,
    ),
    server: v.optional(httpServer),
    cert: v.optional(pem),
    key: v.optional(secret(pem)),
    ca: v.optional(pem),
    auth,
    metricsToken: v.optional(secret(text)),
    origins: v.optional(listOf('strings', anyText), []),
    maxPayload: v.optional(positiveInteger, DEFAULT_MAX_PAYLOAD),
    sessionTimeout: v.optional(duration(1), 15_000),
    orphanTimeout: v.optional(duration(0), 300_000),
    limits: v.optional(limits, {}),
    workerSettings: v.optional(mediasoupOptions(workerSettings)),
    clientWorkerSettings: v.optional(clientWorkerSettings),
    plainTargets: v.optional(plainTargets),
    loadInterval: v.optional(duration(100, MAX_LOAD_INTERVAL_MS), 1000),
    maxLoad: v.optional(finitePercentage),
    fanOut: v.optional(positiveInteger),
    watermarkFanOut: v.optional(percentage, 66),
    region: v.optional(anyText),
    labels: v.optional(texts, {}),
    directory: v.optional(directory),
    publicUrl: v.optional(nodeUrl),
    ...addressOptions.entries,
  }),
  rule(options => conflict(options)),
);

/** Options of a server with their defaults filled in. */
export type ResolvedServerOptions = v.InferOutput<typeof serverOptions>;

function conflict(options: RemoteMafaldaServerOptions): string | undefined {
  const { server, cert, key, ca } = options;
  const taken = server && (['port', 'cert', 'key', 'ca'] as const).find(name => options[name] !== undefined);
  if (taken) return `server and ${taken} exclude each other: port and TLS are the given server's own`;
  if (!cert !== !key) return 'cert and key must be given together';
  if (ca && !cert) return 'ca needs cert and key: client certificates are checked with TLS only';
  return addressConflict(options) ?? directoryConflict(options);
}

/** @throws {TypeError} for options that are unknown, invalid, or exclude each other, and for a missing `auth` */
export function resolveServerOptions(mafalda: MafaldaApi, given: RemoteMafaldaServerOptions): ResolvedServerOptions {
  if (typeof mafalda?.createMafaldaRouter !== 'function') {
    throw new TypeError(
      `RemoteMafaldaServer: the first argument must be the Mafalda to serve, such as new Mafalda(mediasoup); ${describeGiven(mafalda)}`,
    );
  }
  const options = resolveOptions('RemoteMafaldaServer', serverOptions, given);
  const address = (Object.keys(addressOptions.entries) as (keyof AddressOptions)[]).find(
    name => options[name] !== undefined,
  );
  if (options.fanOut !== undefined && mafalda.local === false) {
    throw new TypeError(
      'fanOut: the Workers are on other machines, which streams leave. Give it to the RemoteMafaldaServers there',
    );
  }
  if (address && mafalda.local === false) {
    throw new TypeError(
      `${address}: the Workers are on other machines, whose addresses this one does not know. Give it to the RemoteMafaldaServers there, and to the Mafalda of this machine if there is one`,
    );
  }
  return options;
}

function directoryConflict(options: RemoteMafaldaServerOptions): string | undefined {
  const { directory, publicUrl, region, labels } = options;
  if (!directory && publicUrl === undefined) return undefined;
  if (publicUrl === undefined) return 'directory needs publicUrl: the URL by which controllers reach this server';
  if (!directory) return 'publicUrl needs directory, where controllers read it';
  if (checkedRecord({ url: publicUrl, serverId: '', region, labels, load: 0, draining: false })) return undefined;
  return 'in a directory, region and labels are strings of at most 200 characters, and labels at most 64';
}
