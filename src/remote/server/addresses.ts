/** Where this machine's Transports listen, for callers who don't know: they are at another machine. */
import type { TransportListenInfo, TransportListenIp } from 'mediasoup/types';

export interface AddressOptions {
  /** The address by which clients reach this machine. */
  announcedAddress?: string;
  /** Where WebRtcTransports and PlainTransports listen when the caller leaves it to the server. */
  listenInfos?: TransportListenInfo[];
  /** The same in mediasoup's older form. */
  listenIps?: (TransportListenIp | string)[];
  /** Where pipes from and to other machines listen; default: like the first of the above. */
  pipeListenInfo?: TransportListenInfo;
}

export class Addresses {
  readonly #listenInfos: TransportListenInfo[];
  readonly #pipeListenInfo: TransportListenInfo | undefined;

  constructor({ announcedAddress, listenInfos, listenIps, pipeListenInfo }: AddressOptions) {
    if (listenInfos && listenIps) throw new TypeError('only one of listenInfos and listenIps must be given');
    this.#listenInfos = listenInfos ?? fromListenIps(listenIps ?? (announcedAddress ? ['0.0.0.0'] : []), announcedAddress);
    const udp = this.#listenInfos.find(({ protocol }) => protocol === 'udp');
    // The ports of the clients' Transports are their own business.
    this.#pipeListenInfo = pipeListenInfo ?? (udp && { ...udp, port: undefined });
  }

  /** The arguments of a call on a MafaldaRouter or Router, completed with this machine's addresses where it needs some. */
  complete(method: string, args: unknown[]): unknown[] {
    const [options = {}] = args as [Record<string, unknown>?];
    if (typeof options !== 'object' || options === null) return args;
    const [listenInfo] = this.#listenInfos;
    switch (method) {
      case 'createWebRtcTransport':
        if (!listenInfo || options['listenInfos'] || options['listenIps'] || options['webRtcServer']) return args;
        return [{ ...options, listenInfos: this.#listenInfos }];
      case 'createPlainTransport':
        if (!listenInfo || options['listenInfo'] || options['listenIp']) return args;
        return [{ ...options, listenInfo: this.#listenInfos.find(({ protocol }) => protocol === 'udp') }];
      case 'createPipeTransport':
        if (!this.#pipeListenInfo || options['listenInfo'] || options['listenIp']) return args;
        return [{ ...options, listenInfo: this.#pipeListenInfo }];
      case 'openLink':
      case 'offerPipe':
        if (!this.#pipeListenInfo || options['listenInfo']) return args;
        return [{ ...options, listenInfo: this.#pipeListenInfo }];
      default:
        return args;
    }
  }
}

/** As mediasoup does it, with UDP before TCP. */
function fromListenIps(listenIps: (TransportListenIp | string)[], announcedAddress?: string): TransportListenInfo[] {
  return listenIps.flatMap(listenIp => {
    const { ip, announcedIp } = typeof listenIp === 'string' ? { ip: listenIp, announcedIp: undefined } : listenIp;
    return (['udp', 'tcp'] as const).map(protocol => ({ protocol, ip, announcedAddress: announcedIp ?? announcedAddress }));
  });
}
