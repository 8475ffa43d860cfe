/** Where this machine's Transports listen, for callers who don't know: they are at another machine. */
import type { TransportListenInfo, TransportListenIp } from 'mediasoup/types';

export interface AddressOptions {
  /** The address by which clients reach this machine. */
  announcedAddress?: string;
  /** Where WebRtcTransports and PlainTransports listen when the caller leaves it to the server, or gives a wildcard. */
  listenInfos?: TransportListenInfo[];
  /** The same in mediasoup's older form. */
  listenIps?: (TransportListenIp | string)[];
  /** Where pipes from and to other machines listen; default: like the first of the above. */
  pipeListenInfo?: TransportListenInfo;
}

export const addressOptions = ['announcedAddress', 'listenInfos', 'listenIps', 'pipeListenInfo'] as const satisfies (keyof AddressOptions)[];

type Options = Record<string, unknown>;
type ListenIp = TransportListenIp | string;

const WILDCARDS = ['0.0.0.0', '::'];

/** The methods whose options have addresses. */
export type PlacingMethod = (typeof placing)[number];
const placing = ['createWebRtcTransport', 'createPlainTransport', 'createPipeTransport', 'pipeToRouter', 'openLink', 'offerPipe'] as const;

export class Addresses {
  readonly #listenInfos: TransportListenInfo[];
  readonly #pipeListenInfo: TransportListenInfo | undefined;
  readonly #hasWebRtcServer: boolean;

  /** @param hasWebRtcServer whether WebRtcTransports that give no addresses share the ports of a WebRtcServer */
  constructor({ announcedAddress, listenInfos, listenIps, pipeListenInfo }: AddressOptions, hasWebRtcServer: boolean) {
    if (listenInfos && listenIps) throw new TypeError('only one of listenInfos and listenIps must be given');
    this.#listenInfos = listenInfos ?? fromListenIps(listenIps ?? (announcedAddress ? ['0.0.0.0'] : []), announcedAddress);
    // The ports of the clients' Transports are their own business.
    this.#pipeListenInfo = pipeListenInfo ?? (this.#udp && { ...this.#udp, port: undefined });
    this.#hasWebRtcServer = hasWebRtcServer;
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
        return isGiven || !this.#pipeListenInfo ? options : { ...options, listenInfo: this.#pipeListenInfo };
      case 'pipeToRouter':
        return options;
    }
  }

  /** "All addresses" means nothing to whoever is to send to one. Where this machine has better, that is taken; the ports stay. */
  #withoutWildcards(method: PlacingMethod, options: Options): Options {
    const own = method === 'createWebRtcTransport' || method === 'createPlainTransport' ? this.#listenInfos : [this.#pipeListenInfo];
    const known = own.filter(info => info !== undefined);
    const replaceInfo = (info: TransportListenInfo): TransportListenInfo[] => {
      const better = isWildcard(info) ? known.filter(({ protocol }) => protocol === info.protocol) : [];
      if (better.length === 0) return [info];
      return better.map(({ ip, announcedAddress }) => ({ ...info, ip, announcedAddress }));
    };
    const replaceIp = (listenIp: ListenIp): ListenIp[] => {
      const given = typeof listenIp === 'string' ? { ip: listenIp } : listenIp;
      const better = isWildcard(given) ? known.filter(({ protocol }) => protocol === 'udp') : [];
      if (better.length === 0) return [listenIp];
      return better.map(({ ip, announcedAddress }) => ({ ip, announcedIp: announcedAddress }));
    };
    const replaced: Options = {};
    for (const [name, value] of Object.entries(options)) {
      if (name === 'listenInfos' && Array.isArray(value)) replaced[name] = (value as TransportListenInfo[]).flatMap(replaceInfo);
      else if (name === 'listenIps' && Array.isArray(value)) replaced[name] = (value as ListenIp[]).flatMap(replaceIp);
      else if ((name === 'listenInfo' || name === 'rtcpListenInfo') && value) replaced[name] = replaceInfo(value as TransportListenInfo)[0];
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
    return (['udp', 'tcp'] as const).map(protocol => ({ protocol, ip, announcedAddress: announcedIp ?? announcedAddress }));
  });
}
