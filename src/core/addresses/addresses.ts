/** Listening addresses of this machine's Transports, for callers on other machines, which don't know them. */
import { isIP } from 'node:net';
import type {
  AppData,
  TransportListenInfo,
  TransportListenIp,
  TransportPortRange,
  TransportSocketFlags,
  WebRtcServerOptions,
} from 'mediasoup/types';
import * as v from 'valibot';
import { expecting, optionsOf } from '../../api/optionsSchema.ts';
import { flag, integerFrom, isObject, port, text, type OptionType } from '../../api/optionTypes.ts';
import { familyOf, type Family } from './families.ts';
import { ownAddress } from './ownAddress.ts';

/** Addresses of a machine, as options of `Mafalda` and `RemoteMafaldaServer`. */
export interface AddressOptions {
  /**
   * Address by which clients reach this machine, or a host name for its IPv4 address. Transports listen on all
   * addresses of that family.
   * @default none: the caller of `createWebRtcTransport()` or `createPlainTransport()` has to give addresses
   */
  announcedAddress?: string | undefined;
  /**
   * Listening addresses of WebRtcTransports and PlainTransports whose caller gives none, or gives a wildcard.
   * @default all addresses, with `announcedAddress`, if that is given; else none
   */
  listenInfos?: TransportListenInfo[] | undefined;
  /**
   * Listening addresses in mediasoup's older form, instead of `listenInfos`.
   * @default none
   */
  listenIps?: (TransportListenIp | string)[] | undefined;
  /**
   * Listening address of pipes from and to other machines.
   * @default the addresses of WebRtcTransports: the first of IPv4 and the first of IPv6, over UDP, without their ports
   */
  pipeListenInfo?: TransportListenInfo | undefined;
}

/** mediasoup accepts any text as an announced address, and clients would try in vain to reach it. */
const host = expecting(
  'an IP address or the name of a host, such as 203.0.113.7 or media-1.example, without protocol and port',
  v.pipe(
    v.string(),
    v.check(address => isHost(address)),
  ),
);

const range = optionsOf<TransportPortRange>()({ min: port, max: port });
const flags = optionsOf<TransportSocketFlags>()({ ipv6Only: v.optional(flag), udpReusePort: v.optional(flag) });

const listenInfo = optionsOf<TransportListenInfo>()({
  protocol: expecting("'udp' or 'tcp'", v.picklist(['udp', 'tcp'])),
  ip: text,
  announcedIp: v.optional(host),
  announcedAddress: v.optional(host),
  exposeInternalIp: v.optional(flag),
  port: v.optional(port),
  portRange: v.optional(range),
  flags: v.optional(flags),
  sendBufferSize: v.optional(integerFrom(0)),
  recvBufferSize: v.optional(integerFrom(0)),
});
const listenIp = optionsOf<TransportListenIp>()({ ip: text, announcedIp: v.optional(host) });

const listenInfos = expecting('an array of objects such as { protocol, ip, announcedAddress }', v.array(listenInfo));

export const addressOptions = optionsOf<AddressOptions>()({
  announcedAddress: v.optional(host),
  listenInfos: v.optional(listenInfos),
  listenIps: v.optional(
    expecting(
      'an array of addresses, or of objects such as { ip, announcedIp }',
      v.array(v.lazy<OptionType<TransportListenIp | string>>(given => (typeof given === 'string' ? text : listenIp))),
    ),
  ),
  pipeListenInfo: v.optional(listenInfo),
});

export const webRtcServerOptions = optionsOf<WebRtcServerOptions>()({
  listenInfos,
  appData: v.optional(expecting('an object', v.custom<AppData>(isObject))),
});

/** @returns a sentence, if the options exclude each other */
export function addressConflict({ listenInfos, listenIps }: AddressOptions): string | undefined {
  return listenInfos && listenIps ? 'only one of listenInfos and listenIps must be given' : undefined;
}

type Options = Record<string, unknown>;
type ListenIp = TransportListenIp | string;

const WILDCARDS = ['0.0.0.0', '::'];
/** Options that are listening addresses, or lists of them. */
const addressNames = ['listenInfos', 'listenIps', 'listenInfo', 'rtcpListenInfo', 'listenIp'] as const;

/** Methods whose options have addresses. */
export type AddressedMethod = (typeof addressedMethods)[number];
const addressedMethods = [
  'createWebRtcTransport',
  'createWebRtcServer',
  'createPlainTransport',
  'createPipeTransport',
  'pipeToRouter',
  'openLink',
  'offerPipe',
] as const;

export class Addresses {
  readonly #listenInfos: TransportListenInfo[];
  /** Listening addresses of pipes, a single address for each family. */
  readonly #pipeListenInfos: TransportListenInfo[];
  readonly #hasWebRtcServer: boolean;

  /**
   * @param webRtcServer listening addresses of the WebRtcServer whose ports are shared by WebRtcTransports without
   * addresses of their own; pipes use the same addresses if the options give none
   */
  constructor(
    { announcedAddress, listenInfos, listenIps, pipeListenInfo }: AddressOptions,
    webRtcServer?: readonly TransportListenInfo[],
  ) {
    const given =
      listenInfos ??
      (listenIps || !announcedAddress
        ? fromListenIps(listenIps ?? [], announcedAddress)
        : announcing(announcedAddress));
    this.#listenInfos = given.map(reachable);
    const known = given.length > 0 ? given : (webRtcServer ?? []);
    this.#pipeListenInfos = (pipeListenInfo ? [pipeListenInfo] : pipesLike(known)).map(reachable);
    this.#hasWebRtcServer = webRtcServer !== undefined;
  }

  /**
   * Families over which pipes from other machines come, best first; undefined if this machine has no addresses to
   * announce.
   */
  get pipeFamilies(): readonly Family[] | undefined {
    return this.#pipeListenInfos.length > 0 ? this.#pipeListenInfos.map(familyOf) : undefined;
  }

  /**
   * Returns the arguments of a call on a MafaldaRouter or Router, completed with this machine's addresses if the call
   * needs them.
   */
  complete(method: string, args: unknown[]): unknown[] {
    const [given = {}] = args as [Options?];
    if (!isAddressed(method) || typeof given !== 'object' || given === null) return args;
    const completed = this.completeOptions(method, given);
    return completed === given ? args : [completed, ...args.slice(1)];
  }

  /** Returns the options themselves if they are complete, or a completed copy. */
  completeOptions<T extends object>(method: AddressedMethod, given: T): T {
    return this.#complete(method, this.#withoutWildcards(method, given as Options)) as T;
  }

  /** Adds advice to mediasoup's error about an address that this machine does not have. */
  explain(error: unknown): unknown {
    if (!(error instanceof Error) || !/address not available|EADDRNOTAVAIL/.test(error.message)) return error;
    error.message += ' (that is no address of this server: leave the addresses out, and it uses its own)';
    return error;
  }

  #complete(method: AddressedMethod, options: Options): Options {
    const { listenInfos, listenIps, listenInfo, listenIp, webRtcServer } = options;
    const isGiven = Boolean(listenInfos || listenIps || listenInfo || listenIp || webRtcServer);
    switch (method) {
      case 'createWebRtcTransport':
        if (isGiven || this.#hasWebRtcServer || this.#listenInfos.length === 0) return options;
        return { ...options, listenInfos: this.#listenInfos };
      case 'createPlainTransport':
        return isGiven || !this.#udp ? options : { ...options, listenInfo: this.#udp };
      case 'createPipeTransport':
      case 'openLink':
      case 'offerPipe':
        return isGiven || this.#pipeListenInfos.length === 0
          ? options
          : { ...options, listenInfo: this.#pipeListenInfoOf(options['family']) };
      case 'createWebRtcServer':
      case 'pipeToRouter':
        return options;
    }
  }

  /** Returns the listening address of a family; the first if the caller does not name a family. */
  #pipeListenInfoOf(family: unknown): TransportListenInfo | undefined {
    return this.#pipeListenInfos.find(info => familyOf(info) === family) ?? this.#pipeListenInfos[0];
  }

  /**
   * Replaces wildcards, which are of no use to a remote sender, by this machine's addresses of the same family, if it
   * has any; the ports stay.
   */
  #withoutWildcards(method: AddressedMethod, options: Options): Options {
    if (!hasWildcard(options)) return options;
    const isForWebRtc = method === 'createWebRtcTransport' || method === 'createWebRtcServer';
    const known = isForWebRtc || method === 'createPlainTransport' ? this.#listenInfos : this.#pipeListenInfos;
    const replaceInfo = (info: TransportListenInfo): TransportListenInfo[] => {
      const better = isWildcard(info)
        ? known.filter(({ protocol, ip }) => protocol === info.protocol && isIP(ip) === isIP(info.ip))
        : [];
      // A wildcard as a candidate would be of no use: it is announced as this machine's own address.
      if (better.length === 0) return [isForWebRtc && info ? reachable(info) : info];
      return better.map(({ ip, announcedAddress, flags }) => ({
        ...info,
        ip,
        announcedAddress,
        flags: info.flags ?? flags,
      }));
    };
    const replaceIp = (listenIp: ListenIp): ListenIp[] => {
      const given = typeof listenIp === 'string' ? { ip: listenIp } : listenIp;
      const better = isWildcard(given)
        ? known.filter(({ protocol, ip }) => protocol === 'udp' && isIP(ip) === isIP(given.ip))
        : [];
      if (better.length === 0)
        return [
          isForWebRtc && isWildcard(given)
            ? { ip: given.ip, announcedIp: reachable({ ...given, protocol: 'udp' }).announcedAddress }
            : listenIp,
        ];
      return better.map(({ ip, announcedAddress }) => ({ ip, announcedIp: announcedAddress }));
    };
    const replaced: Options = {};
    for (const [name, value] of Object.entries(options)) {
      if (name === 'listenInfos' && Array.isArray(value))
        replaced[name] = (value as TransportListenInfo[]).flatMap(replaceInfo);
      else if (name === 'listenIps' && Array.isArray(value)) replaced[name] = (value as ListenIp[]).flatMap(replaceIp);
      else if ((name === 'listenInfo' || name === 'rtcpListenInfo') && value)
        replaced[name] = replaceInfo(value as TransportListenInfo)[0];
      else if (name === 'listenIp' && value) replaced[name] = replaceIp(value as ListenIp)[0];
    }
    return Object.keys(replaced).length > 0 ? { ...options, ...replaced } : options;
  }

  get #udp(): TransportListenInfo | undefined {
    return this.#listenInfos.find(({ protocol }) => protocol === 'udp');
  }
}

function isAddressed(method: string): method is AddressedMethod {
  return (addressedMethods as readonly string[]).includes(method);
}

/** Returns whether a listening address is a wildcard. Malformed addresses are left to mediasoup to refuse. */
function isWildcard(info: { ip?: unknown; announcedAddress?: unknown; announcedIp?: unknown } | null): boolean {
  return WILDCARDS.includes(String(info?.ip)) && !info?.announcedAddress && !info?.announcedIp;
}

/** Returns whether any of the listening addresses in the options is a wildcard: mostly none is. */
function hasWildcard(options: Options): boolean {
  for (const name of addressNames) {
    const given = options[name];
    for (const one of Array.isArray(given) ? (given as unknown[]) : [given])
      if (isWildcard(typeof one === 'string' ? { ip: one } : (one as { ip?: unknown } | null))) return true;
  }
  return false;
}

/** Converts the older form as mediasoup does, with UDP before TCP. */
function fromListenIps(listenIps: ListenIp[], announcedAddress?: string): TransportListenInfo[] {
  return listenIps.flatMap(listenIp => {
    const { ip, announcedIp } = typeof listenIp === 'string' ? { ip: listenIp, announcedIp: undefined } : listenIp;
    return forBothProtocols({
      ip,
      announcedAddress: announcedIp ?? (canAnnounce(ip, announcedAddress) ? announcedAddress : undefined),
    });
  });
}

/** Returns listening addresses that cover exactly the family of the announced address. */
function announcing(announcedAddress: string): TransportListenInfo[] {
  const isIPv6 = isIP(announcedAddress) === 6;
  return forBothProtocols(
    isIPv6 ? { ip: '::', announcedAddress, flags: { ipv6Only: true } } : { ip: '0.0.0.0', announcedAddress },
  );
}

function forBothProtocols(info: Omit<TransportListenInfo, 'protocol'>): TransportListenInfo[] {
  return (['udp', 'tcp'] as const).map(protocol => ({ protocol, ...info }));
}

/**
 * Returns whether the address can be announced for a listening address: it stands for all listening addresses of its
 * own family.
 */
function canAnnounce(ip: string, announcedAddress?: string): boolean {
  return announcedAddress === undefined || isIP(announcedAddress) === 0 || isIP(announcedAddress) === isIP(ip);
}

/** Returns the first UDP address of each family, without the ports, which belong to the clients' Transports. */
function pipesLike(listenInfos: readonly TransportListenInfo[]): TransportListenInfo[] {
  const overUdp = listenInfos.filter(({ protocol }) => protocol === 'udp');
  const first = overUdp.filter(
    (info, index) => overUdp.findIndex(other => familyOf(other) === familyOf(info)) === index,
  );
  return first.map(info => ({ ...info, port: undefined, portRange: undefined }));
}

/** Announces this machine's own address for a wildcard, which is of no use to remote senders. */
export function reachable(info: TransportListenInfo): TransportListenInfo {
  return isWildcard(info) ? { ...info, announcedAddress: ownAddress(familyOf(info)) } : info;
}

/**
 * Returns whether the text is an address, or a name as RFC 1123 defines it, with underscores, which some networks use.
 */
function isHost(address: unknown): boolean {
  return (
    typeof address === 'string' &&
    (isIP(address) !== 0 ||
      /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(address))
  );
}
