/** Settings of `serve` and `cluster`: the library's options, and what a program has beside them. */
import type { MafaldaHorizontalOptions } from '../../horizontal/index.ts';
import type { MafaldaOptions } from '../../local/index.ts';
import type { RemoteMafaldaServerOptions } from '../../remote/index.ts';
import type { Setting } from './setting.ts';

/** Settings of all options: the compiler refuses a table that lacks an option. */
type SettingsOf<Options> = { readonly [Name in keyof Required<Options>]: Setting };

/** Options of a RemoteMafaldaServer that each server has, but for those that only a program can give. */
type ServerOptions = Omit<
  RemoteMafaldaServerOptions,
  'auth' | 'server' | keyof DirectoryOptions | keyof AddressOptions | keyof FanOutOptions
>;
type DirectoryOptions = Pick<RemoteMafaldaServerOptions, 'directory' | 'publicUrl'>;
type FanOutOptions = Pick<RemoteMafaldaServerOptions, 'fanOut' | 'watermarkFanOut'>;
type AddressOptions = Pick<MafaldaOptions, 'announcedAddress' | 'listenInfos' | 'listenIps' | 'pipeListenInfo'>;

export const commonSettings = {
  port: { kind: 'number', help: 'TCP port to listen on' },
  host: { kind: 'text', value: 'address', help: 'address to listen on; default: all of this machine' },
  path: { kind: 'text', help: 'path of the WebSocket; default: /mafalda' },
  cert: { kind: 'file', help: 'certificate (PEM): with it and --key it listens with TLS' },
  key: { kind: 'file', help: 'private key of the certificate (PEM)' },
  ca: { kind: 'file', help: 'authority (PEM) that has to have signed the certificates of clients' },
  metricsToken: { kind: 'text', value: 'token', help: 'token for /metrics; default: this machine alone may see them' },
  origins: { kind: 'list', value: 'urls', help: 'origins of web pages that may connect' },
  maxPayload: { kind: 'number', value: 'bytes', help: 'largest message of a client' },
  sessionTimeout: { kind: 'duration', help: 'time that a session outlives its connection' },
  orphanTimeout: { kind: 'duration', help: 'time that objects of a client that is gone stay in shared rooms' },
  limits: { kind: 'json', help: 'limits of clients, such as {"clients":100}' },
  workerSettings: { kind: 'json', help: 'mediasoup’s settings of the Workers' },
  clientWorkerSettings: { kind: 'list', value: 'names', help: 'settings of their Workers that clients may choose' },
  plainTargets: { kind: 'json', help: 'addresses that PlainTransports and pipes may send to' },
  maxLoad: { kind: 'number', value: 'percent', help: 'load beyond which it takes nothing new' },
  loadInterval: { kind: 'duration', help: 'interval of load reports' },
  region: { kind: 'text', help: 'location of this machine, for placement' },
  labels: { kind: 'json', help: 'further properties of this machine, for placement' },
} as const satisfies SettingsOf<ServerOptions>;

/** Settings that a program that serves has beside the options of its server. */
const programSettings = {
  token: { kind: 'text', help: 'token that clients have to show; better in MAFALDA_TOKEN or --token-file than here' },
  tokenFile: { kind: 'file', help: 'file with the token' },
  open: { kind: 'flag', help: 'let in everybody who reaches the port, without a token' },
  drainDeadline: { kind: 'duration', help: 'time at SIGTERM for what is there to end; default: 10m' },
} as const satisfies Record<string, Setting>;

const directoryPrefix = {
  kind: 'text',
  value: 'text',
  help: 'first part of the names of the directory’s keys; default: mafalda',
} as const;

export const serveSettings = {
  ...commonSettings,
  ...programSettings,
  announcedAddress: {
    kind: 'text',
    value: 'address',
    help: 'address by which clients reach the media of this machine',
  },
  redis: { kind: 'text', value: 'url', help: 'Redis with the directory in which controllers find this server' },
  redisPrefix: directoryPrefix,
  publicUrl: { kind: 'text', value: 'url', help: 'URL by which controllers reach this server' },
  mediaPorts: { kind: 'ports', help: 'ports that all WebRtcTransports share, one of TCP and of UDP for each Worker' },
  pipePorts: { kind: 'ports', help: 'UDP ports of pipes from and to other servers' },
  fanOut: { kind: 'number', value: 'pipes', help: 'pipes of a stream, beyond which other servers are sent on' },
  watermarkFanOut: { kind: 'number', value: 'percent', help: 'load from which they are sent on before; default: 66' },
  workers: { kind: 'number', value: 'number', help: 'Workers that this machine may have; default: its cores' },
  listenInfos: { kind: 'json', help: 'listening addresses of the media, as mediasoup’s' },
  listenIps: { kind: 'json', help: 'the same in mediasoup’s older form' },
  pipeListenInfo: { kind: 'json', help: 'listening address of pipes' },
  webRtcServerOptions: { kind: 'json', help: 'mediasoup’s options of WebRtcServers' },
  workerBudget: { kind: 'json', help: 'limit for the Workers of all processes of this machine; false for none' },
  idlePipeTimeout: { kind: 'duration', help: 'time after which an unused pipe closes' },
} as const satisfies SettingsOf<MafaldaOptions & FanOutOptions> & Record<string, Setting>;

/** Options of the connections to the nodes whose names a server has too, and which get another name here. */
type NodeOptions = Pick<MafaldaHorizontalOptions, 'token' | 'ca' | 'fingerprints' | 'cert' | 'key' | 'path' | 'limits'>;
type ClusterOptions = Omit<MafaldaHorizontalOptions, keyof NodeOptions | 'directory'>;

export const nodeSettings = {
  nodeToken: { kind: 'text', value: 'token', help: 'token that the nodes ask for; default: the own --token' },
  nodeCa: { kind: 'file', help: 'authority (PEM) of the nodes’ certificates' },
  nodeFingerprints: { kind: 'list', value: 'AB:CD:…', help: 'SHA-256 fingerprints of the nodes’ certificates' },
  nodeCert: { kind: 'file', help: 'certificate (PEM) for nodes that ask for one' },
  nodeKey: { kind: 'file', help: 'private key of that certificate (PEM)' },
  nodePath: { kind: 'text', value: 'path', help: 'path of nodes whose URL has none' },
  nodeLimits: { kind: 'json', help: 'limits of what a node may send' },
} as const satisfies { [Name in `node${Capitalize<keyof NodeOptions>}`]: Setting };

export const clusterSettings = {
  ...commonSettings,
  ...programSettings,
  nodes: { kind: 'list', value: 'urls', help: 'URLs of the nodes' },
  redis: { kind: 'text', value: 'url', help: 'Redis with the directory in which nodes are found' },
  redisPrefix: directoryPrefix,
  ...nodeSettings,
  strategy: { kind: 'text', value: 'name', help: 'concentrate, leastLoaded, twoChoices, regionFirst' },
  watermarkNode: { kind: 'number', value: 'percent', help: 'load from which on a node gets nothing new' },
  nodeTimeout: { kind: 'duration', help: 'silence after which a node is given up' },
  callTimeout: { kind: 'duration', help: 'time limit of a call to a node' },
  name: { kind: 'text', help: 'name under which this program comes back when it starts again' },
} as const satisfies SettingsOf<ClusterOptions> & Record<string, Setting>;

/** Settings of commands that ask servers. */
export const clientSettings = {
  token: { kind: 'text', help: 'token that the servers ask for; better in MAFALDA_TOKEN than here' },
  tokenFile: { kind: 'file', help: 'file with the token' },
  ca: { kind: 'file', help: 'authority (PEM) of the servers’ certificates' },
  cert: { kind: 'file', help: 'certificate (PEM) for servers that ask for one' },
  key: { kind: 'file', help: 'private key of that certificate (PEM)' },
  timeout: { kind: 'duration', help: 'time to wait for a server; default: 5s' },
} as const satisfies Record<string, Setting>;
