/** Options of a RemoteMafaldaServer: what they are, their names, and how they are checked. */
import type { Server as HttpServer } from 'node:http';
import type { WorkerSettings } from 'mediasoup/types';
import { checkDuration } from '../../api/checkDuration.ts';
import { refuseUnknown, type OptionNames } from '../../api/options.ts';
import type { MafaldaApi } from '../../api/types.ts';
import type { Directory } from '../../horizontal/directory/directory.ts';
import { checkedRecord, isNodeUrl } from '../../horizontal/directory/nodeRecord.ts';
import { addressOptionNames, addressOptions, type AddressOptions } from '../../core/addresses/addresses.ts';
import { MAX_LOAD_INTERVAL_MS } from '../protocol/messages.ts';
import { checkAuth, type Auth } from './authenticate.ts';
import type { Limits } from './limits.ts';
import type { ClientWorkerSetting } from './settingsPolicy.ts';
import type { PlainTarget } from './targets.ts';

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
   * attached to as well. Until then the server's `orphans` and `dump()` list them.
   * @default for ever, since the client may come back
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
   * Directory in which the server writes itself and the MafaldaRouters that are open here, from `listen()` to `close()`,
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

const knownOptions: OptionNames<RemoteMafaldaServerOptions> = {
  port: true,
  host: true,
  path: true,
  server: true,
  cert: true,
  key: true,
  ca: true,
  auth: true,
  metricsToken: true,
  origins: true,
  maxPayload: true,
  sessionTimeout: true,
  orphanTimeout: true,
  limits: true,
  workerSettings: true,
  clientWorkerSettings: true,
  plainTargets: true,
  loadInterval: true,
  maxLoad: true,
  region: true,
  labels: true,
  directory: true,
  publicUrl: true,
  ...addressOptionNames,
};

/** @throws {TypeError} for options that are unknown, invalid, or exclude each other, and for a missing `auth` */
export function checkServerOptions(mafalda: MafaldaApi, options: RemoteMafaldaServerOptions): void {
  refuseUnknown('RemoteMafaldaServer', options, knownOptions);
  checkAuth(options.auth);
  const { origins = [], server, metricsToken } = options;
  if (metricsToken !== undefined && (typeof metricsToken !== 'string' || metricsToken === ''))
    throw new TypeError(
      'if given, metricsToken must be a non-empty string: leave it out, and only this machine may see the metrics',
    );
  if (!Array.isArray(origins) || !origins.every(origin => typeof origin === 'string'))
    throw new TypeError('if given, origins must be an array of strings');
  const conflict = server && (['port', 'cert', 'key', 'ca'] as const).find(name => options[name] !== undefined);
  if (conflict)
    throw new TypeError(`server and ${conflict} exclude each other: port and TLS are the given server's own`);
  if (options.path !== undefined && !/^\/[^?#]+$/.test(options.path))
    throw new TypeError('if given, path must begin with /, such as /mafalda');
  if (!options.cert !== !options.key) throw new TypeError('cert and key must be given together');
  if (options.ca && !options.cert)
    throw new TypeError('ca needs cert and key: client certificates are checked with TLS only');
  const address = addressOptions.find(name => options[name] !== undefined);
  if (address && mafalda.local === false) {
    throw new TypeError(
      `${address}: the Workers are on other machines, whose addresses this one does not know. Give it to the RemoteMafaldaServers there, and to the Mafalda of this machine if there is one`,
    );
  }
  checkDirectory(options);
  checkDuration('orphanTimeout', options.orphanTimeout, 0);
  checkDuration('sessionTimeout', options.sessionTimeout, 1);
  const { maxLoad } = options;
  if (maxLoad !== undefined && !(Number.isFinite(maxLoad) && maxLoad >= 0))
    throw new TypeError('if given, maxLoad must be a percentage, 0 or more');
  checkDuration('loadInterval', options.loadInterval, 100, MAX_LOAD_INTERVAL_MS);
}

function checkDirectory({ directory, publicUrl, region, labels }: RemoteMafaldaServerOptions): void {
  if (directory !== undefined && typeof directory?.register !== 'function')
    throw new TypeError('if given, directory must be a directory, such as a RedisDirectory');
  if (directory && publicUrl === undefined)
    throw new TypeError('directory needs publicUrl: the URL by which controllers reach this server');
  if (publicUrl === undefined) return;
  if (!directory) throw new TypeError('publicUrl needs directory, where controllers read it');
  if (!isNodeUrl(publicUrl))
    throw new TypeError(
      'publicUrl must be like wss://media-1.example:4443, without user, password, and anything after its path',
    );
  if (!checkedRecord({ url: publicUrl, serverId: '', region, labels, load: 0, draining: false }))
    throw new TypeError(
      'in a directory, region and labels are strings of at most 200 characters, and labels at most 64',
    );
}
