/** Options of a MafaldaSwarm, with their schema, and its events. */
import { isIPv4 } from 'node:net';
import * as v from 'valibot';
import { expecting, optionsOf, resolveOptions, rule, secret } from '../api/optionsSchema.ts';
import { anyText, duration, listOf, pem, port, positiveInteger, text, type OptionType } from '../api/optionTypes.ts';
import type { NodeRecord } from '../horizontal/directory/directory.ts';
import { isNodeUrl } from '../horizontal/directory/nodeRecord.ts';
import { horizontalOptions } from '../horizontal/horizontalOptions.ts';
import type { MafaldaHorizontalEvents, MafaldaHorizontalOptions } from '../horizontal/index.ts';
import type { RemoteMafaldaServerOptions } from '../remote/index.ts';
import { serverOptions } from '../remote/server/serverOptions.ts';
import { parseAddress } from './dht/address.ts';
import { MAX_TEXT_BYTES } from './dht/record.ts';
import { KEY_BYTES } from './dht/seal.ts';
import { ownFirst } from './ownFirst.ts';

/** Bytes of what is told of a peer's server, without what changes and takes less than the rest of a packet. */
const MAX_TOLD_BYTES = 800;

/** Options of a MafaldaSwarm; `bootstrap`, `key`, `port` and `url` are required. */
export interface MafaldaSwarmOptions
  extends
    Pick<MafaldaHorizontalOptions, 'strategy' | 'watermarkNode' | 'callTimeout' | 'limits' | 'ca'>,
    Pick<RemoteMafaldaServerOptions, 'server' | 'region' | 'labels' | 'maxLoad'> {
  /**
   * Addresses of some other peers, `host:port` of their DHTs, by name or IPv4; any of them is enough, and those that are
   * dead go on being tried. Empty for the first peer of a swarm. Required.
   */
  bootstrap: readonly string[];
  /**
   * Key of the group, 32 bytes. Several for a change of the key without an outage: the first is used, all are accepted.
   * Required.
   */
  key: Uint8Array | readonly Uint8Array[];
  /**
   * UDP port of the DHT; 0 for any free port, which other peers can't have in their `bootstrap`. Required.
   */
  port: number;
  /**
   * URL by which other peers reach this peer, such as `wss://media-1.example:4443`, whose host has an address of IPv4 for
   * the DHT. The peer listens on its port, with `cert` and `certKey` if it is a `wss:` URL, unless `server` is given.
   * Required.
   */
  url: string;
  /**
   * IPv4 address on which it listens, for other peers and for the DHT.
   * @default '0.0.0.0'
   */
  host?: string | undefined;
  /**
   * Certificate, PEM, with which the peer listens if its URL is a `wss:` URL. Others are told its fingerprint, signed by
   * this peer, and accept no other certificate: it may well be signed by itself, and be for any host.
   * @default no TLS
   */
  cert?: string | Buffer | undefined;
  /**
   * Private key of `cert`, PEM.
   * @default no TLS
   */
  certKey?: string | Buffer | undefined;
  /**
   * Number of pipes of a stream that lead from here to other peers. Beyond it, or from `watermarkNode` on, a peer that
   * asks for the stream is sent on to one of those that have it by then; if these are full as well, the least used one
   * serves it, up to four times this number.
   * @default 8
   */
  fanOut?: number | undefined;
  /**
   * Path of a file in which the peer keeps addresses of others, so that after a restart it finds the swarm by them too,
   * when all of `bootstrap` are dead. Its folder must exist.
   * @default none: nothing is remembered
   */
  peersFile?: string | undefined;
  /**
   * Silence after which the objects of another peer close here, in ms, so that those who got a stream by way of it get
   * it another way. If others still get packets from the peer, or no peer is heard, it is marked as unreachable instead,
   * and has 15 s.
   * @default 2500
   */
  nodeTimeout?: number | undefined;
  /**
   * Ed25519 private key of this peer, PEM, by which others know it after a restart.
   * @default a new one at each start
   */
  identity?: string | undefined;
  /**
   * Ids of the peers that may use this peer, and are used by it, as their `id` says. `updateTrust()` replaces them.
   * @default all that have the key of the group
   */
  trusted?: readonly string[] | undefined;
  /**
   * Ids of peers that may not use this peer, and are not used by it, though they have the key of the group.
   * `updateTrust()` replaces them.
   * @default []
   */
  revoked?: readonly string[] | undefined;
  /**
   * Time for which what another peer has made on this machine outlives the connection to it, in ms.
   * @default 15000
   */
  sessionTimeout?: number | undefined;
}

/** Options of `updateTrust()`: what is left out stays as it is. */
export interface SwarmTrustOptions {
  /**
   * Key of the group, or several: the first is used, all are accepted.
   * @default as it is
   */
  key?: Uint8Array | readonly Uint8Array[] | undefined;
  /**
   * Ids of the peers that may use this peer, and are used by it.
   * @default as it is
   */
  trusted?: readonly string[] | undefined;
  /**
   * Ids of peers that may not use this peer, and are not used by it.
   * @default as it is
   */
  revoked?: readonly string[] | undefined;
}

/** A peer, with what it says of its server. */
export interface SwarmPeer extends NodeRecord {
  /** Public key of the peer, which is its `id`. */
  readonly peerId: string;
}

/** Events of a MafaldaSwarm, beside those of a MafaldaHorizontal. */
export type MafaldaSwarmEvents = MafaldaHorizontalEvents & {
  /** Emitted when another peer is known, with what it says of itself. */
  peerjoined: [peer: SwarmPeer];
  /** Emitted when a peer has left, or does not answer any more, or is not among the peers that are known at a time. */
  peerleft: [peer: SwarmPeer];
};

const isKey = (value: unknown): boolean => value instanceof Uint8Array && value.length === KEY_BYTES;

const groupKey: OptionType<Uint8Array | readonly Uint8Array[]> = secret(
  expecting(
    `the key of the group, ${KEY_BYTES} bytes such as crypto.randomBytes(${KEY_BYTES}), or an array of keys`,
    v.custom<Uint8Array | readonly Uint8Array[]>(value =>
      Array.isArray(value) ? value.length > 0 && value.every(isKey) : isKey(value),
    ),
  ),
);

const address = expecting(
  'an address such as media-1.example:4444, of a name or of IPv4',
  v.pipe(
    v.string(),
    v.check(given => parseAddress(given) !== undefined),
  ),
);

/** A URL that is wrong may have a password. */
const peerUrl = secret(
  expecting(
    'the URL of this peer, such as wss://media-1.example:4443',
    v.pipe(
      v.string(),
      v.check(url => isNodeUrl(url)),
    ),
  ),
);

const { watermarkNode, callTimeout, limits, ca } = horizontalOptions.entries;
const { server, region, labels, maxLoad, sessionTimeout } = serverOptions.entries;

const peerIds = listOf('strings', anyText);

export const trustOptions = optionsOf<SwarmTrustOptions>()({
  key: v.optional(groupKey),
  trusted: v.optional(peerIds),
  revoked: v.optional(peerIds),
});

export const swarmOptions = v.pipe(
  optionsOf<MafaldaSwarmOptions>()({
    bootstrap: listOf('addresses of other peers, such as media-1.example:4444', address),
    key: groupKey,
    port,
    url: peerUrl,
    host: v.optional(expecting('an IPv4 address', v.pipe(v.string(), v.check(isIPv4))), '0.0.0.0'),
    cert: v.optional(pem),
    certKey: v.optional(secret(pem)),
    fanOut: v.optional(positiveInteger, 8),
    peersFile: v.optional(text),
    identity: v.optional(secret(text)),
    trusted: v.optional(peerIds),
    revoked: v.optional(peerIds, []),
    strategy: v.optional(horizontalOptions.entries.strategy.wrapped, () => ownFirst),
    watermarkNode,
    nodeTimeout: v.optional(duration(1), 2500),
    callTimeout,
    limits,
    ca,
    server,
    region,
    labels,
    maxLoad,
    sessionTimeout,
  }),
  rule(options => conflict(options)),
);

/** Options of a MafaldaSwarm with their defaults filled in. */
export type ResolvedSwarmOptions = v.InferOutput<typeof swarmOptions>;

/** @throws {TypeError} for options that are unknown, invalid, or exclude each other */
export function resolveSwarmOptions(given: MafaldaSwarmOptions): ResolvedSwarmOptions {
  return resolveOptions('MafaldaSwarm', swarmOptions, given);
}

/** @throws {TypeError} for options that are unknown or invalid */
export function resolveTrustOptions(given: SwarmTrustOptions): SwarmTrustOptions {
  return resolveOptions('updateTrust()', trustOptions, given);
}

export function isSecure(url: string): boolean {
  return /^(wss|https):/.test(url);
}

function conflict({ cert, certKey, server: given, url, region, labels }: MafaldaSwarmOptions): string | undefined {
  if (new URL(url).hostname.startsWith('['))
    return 'url has an address of IPv6, and the DHT knows IPv4 only: give a name, which may have addresses of both';
  // Other peers are told of these in a single packet, with the load and some more.
  if (Buffer.byteLength(url) > MAX_TEXT_BYTES) return `url has more than ${MAX_TEXT_BYTES} bytes`;
  if (Buffer.byteLength(JSON.stringify({ url, region, labels })) > MAX_TOLD_BYTES)
    return `url, region and labels have together more than ${MAX_TOLD_BYTES} bytes, and are told in a packet`;
  if ((cert === undefined) !== (certKey === undefined)) return 'cert and certKey must be given together';
  if (given && cert !== undefined) return 'server and cert exclude each other: TLS is the given server’s own';
  if (!given && isSecure(url) && cert === undefined) return 'a wss: URL needs cert and certKey, or a server';
  if (!isSecure(url) && cert !== undefined) return 'cert needs a wss: URL';
  return undefined;
}
