/** Where this machine's Transports listen, for callers who don't know: they are at another machine. */
import { isIP } from 'node:net';
import type { TransportListenInfo, TransportListenIp } from 'mediasoup/types';
import type { OptionNames } from '../../api/options.ts';
import { familyOf, type Family } from './families.ts';
import { ownAddress } from './ownAddress.ts';

export interface AddressOptions {
  /** The address by which clients reach this machine, or a name of an IPv4 one: it listens on all addresses of that family. */
  announcedAddress?: string;
  /** Where WebRtcTransports and PlainTransports listen when the caller leaves it to the server, or gives a wildcard. */
  listenInfos?: TransportListenInfo[];
  /** The same in mediasoup's older form. */
  listenIps?: (TransportListenIp | string)[];
  /** Where pipes from and to other machines listen; default: like the first of the above for IPv4, and the first for IPv6. */
  pipeListenInfo?: TransportListenInfo;
}

export const addressOptionNames: OptionNames<AddressOptions> = {
  announcedAddress: true,
  listenInfos: true,
  listenIps: true,
  pipeListenInfo: true,
};
export const addressOptions = Object.keys(addressOptionNames) as readonly (keyof AddressOptions)[];

type Options = Record<string, unknown>;
type ListenIp = TransportListenIp | string;

const WILDCARDS = ['0.0.0.0', '::'];

/** The methods whose options have addresses. */
export type PlacingMethod = (typeof placing)[number];
const placing = [
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
  /** One for each family of addresses. */
  readonly #pipeListenInfos: TransportListenInfo[];
  readonly #hasWebRtcServer: boolean;

  /** @param webRtcServer where the WebRtcServer listens whose ports WebRtcTransports share that give no addresses: pipes come to the same ones, if nothing else is said */
  constructor(
    { announcedAddress, listenInfos, listenIps, pipeListenInfo }: AddressOptions,
    webRtcServer?: readonly TransportListenInfo[],
  ) {
    assertAnnounceable({ announcedAddress, listenInfos, listenIps, pipeListenInfo });
    if (listenInfos && listenIps) throw new TypeError('only one of listenInfos and listenIps must be given');
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

  /** What pipes from elsewhere can reach, best first; undefined if this machine has no addresses to tell. */
  get pipeFamilies(): readonly Family[] | undefined {
    return this.#pipeListenInfos.length > 0 ? this.#pipeListenInfos.map(familyOf) : undefined;
  }

  /** The arguments of a call on a MafaldaRouter or Router, completed with this machine's addresses where it needs some. */
  complete(method: string, args: unknown[]): unknown[] {
    const [given = {}] = args as [Options?];
    if (!isPlacing(method) || typeof given !== 'object' || given === null) return args;
    const completed = this.completeOptions(method, given);
    return completed === given ? args : [completed, ...args.slice(1)];
  }

  /** The options themselves if they need nothing, or a copy with what they need. */
  completeOptions<T extends object>(method: PlacingMethod, given: T): T {
    return this.#complete(method, this.#withoutWildcards(method, given as Options)) as T;
  }

  /** What a caller from elsewhere can do about addresses that this machine does not have. */
  explain(error: unknown): unknown {
    if (!(error instanceof Error) || !/address not available|EADDRNOTAVAIL/.test(error.message)) return error;
    error.message += ' (that is no address of this server: leave the addresses out, and it uses its own)';
    return error;
  }

  #complete(method: PlacingMethod, options: Options): Options {
    const isGiven = ['listenInfos', 'listenIps', 'listenInfo', 'listenIp', 'webRtcServer'].some(name => options[name]);
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

  /** A caller that does not say which family has the first one. */
  #pipeListenInfoOf(family: unknown): TransportListenInfo | undefined {
    return this.#pipeListenInfos.find(info => familyOf(info) === family) ?? this.#pipeListenInfos[0];
  }

  /**
   * "All addresses" of a family means nothing to those who are to send to one. Where this machine has better of that family, it
   * is taken; the ports stay.
   */
  #withoutWildcards(method: PlacingMethod, options: Options): Options {
    const isForWebRtc = method === 'createWebRtcTransport' || method === 'createWebRtcServer';
    const known = isForWebRtc || method === 'createPlainTransport' ? this.#listenInfos : this.#pipeListenInfos;
    const replaceInfo = (info: TransportListenInfo): TransportListenInfo[] => {
      const better = isWildcard(info)
        ? known.filter(({ protocol, ip }) => protocol === info.protocol && isIP(ip) === isIP(info.ip))
        : [];
      // A candidate that is no address would be looked for in vain.
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

function isPlacing(method: string): method is PlacingMethod {
  return (placing as readonly string[]).includes(method);
}

/** Malformed ones are mediasoup's to refuse. */
function isWildcard(info: { ip?: unknown; announcedAddress?: unknown; announcedIp?: unknown } | null): boolean {
  return WILDCARDS.includes(String(info?.ip)) && !info?.announcedAddress && !info?.announcedIp;
}

/** As mediasoup does it, with UDP before TCP. */
function fromListenIps(listenIps: ListenIp[], announcedAddress?: string): TransportListenInfo[] {
  return listenIps.flatMap(listenIp => {
    const { ip, announcedIp } = typeof listenIp === 'string' ? { ip: listenIp, announcedIp: undefined } : listenIp;
    return forBothProtocols({
      ip,
      announcedAddress: announcedIp ?? (canAnnounce(ip, announcedAddress) ? announcedAddress : undefined),
    });
  });
}

/** Listens on all addresses of the family of the one that is announced, and of no other. */
function announcing(announcedAddress: string): TransportListenInfo[] {
  const isIPv6 = isIP(announcedAddress) === 6;
  return forBothProtocols(
    isIPv6 ? { ip: '::', announcedAddress, flags: { ipv6Only: true } } : { ip: '0.0.0.0', announcedAddress },
  );
}

function forBothProtocols(info: Omit<TransportListenInfo, 'protocol'>): TransportListenInfo[] {
  return (['udp', 'tcp'] as const).map(protocol => ({ protocol, ...info }));
}

/** One address stands for all on which the machine listens, but not for those of the other family. */
function canAnnounce(ip: string, announcedAddress?: string): boolean {
  return announcedAddress === undefined || isIP(announcedAddress) === 0 || isIP(announcedAddress) === isIP(ip);
}

/** The first one of each family. The ports of the clients' Transports are their own business. */
function pipesLike(listenInfos: readonly TransportListenInfo[]): TransportListenInfo[] {
  const overUdp = listenInfos.filter(({ protocol }) => protocol === 'udp');
  const first = overUdp.filter(
    (info, index) => overUdp.findIndex(other => familyOf(other) === familyOf(info)) === index,
  );
  return first.map(info => ({ ...info, port: undefined, portRange: undefined }));
}

/** Nobody elsewhere knows where "all addresses" are: one of them is announced. */
export function reachable(info: TransportListenInfo): TransportListenInfo {
  return isWildcard(info) ? { ...info, announcedAddress: ownAddress(familyOf(info)) } : info;
}

/** mediasoup takes any text for an address, and clients would look for it in vain. @throws {TypeError} naming the option */
function assertAnnounceable({ announcedAddress, listenInfos, listenIps, pipeListenInfo }: AddressOptions): void {
  const assert = (option: string, address: unknown): void => {
    if (address === undefined || isHost(address)) return;
    throw new TypeError(
      `${option} must be an IP address or the name of a host, such as 203.0.113.7 or media-1.example, without protocol and port; it is ${JSON.stringify(address)}`,
    );
  };
  assert('announcedAddress', announcedAddress);
  for (const [index, info] of (Array.isArray(listenInfos) ? listenInfos : []).entries())
    assert(`listenInfos[${index}].announcedAddress`, info?.announcedAddress);
  for (const [index, info] of (Array.isArray(listenIps) ? listenIps : []).entries()) {
    if (typeof info === 'object' && info !== null) assert(`listenIps[${index}].announcedIp`, info.announcedIp);
  }
  assert('pipeListenInfo.announcedAddress', pipeListenInfo?.announcedAddress);
}

/** An address, or a name as RFC 1123 has it, with underscores, which some networks use. */
function isHost(address: unknown): boolean {
  return (
    typeof address === 'string' &&
    (isIP(address) !== 0 ||
      /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(address))
  );
}
