/** What the Transports of links are made with. */
import type { PipeTransport, PipeTransportOptions, TransportListenInfo } from 'mediasoup/types';
import { onceClosed } from '../../core/onceClosed.ts';
import { logger } from '../../core/logger.ts';
import type { LinkKind } from '../endpoint.ts';

const log = logger('link');

/** Sizes are of 32 bits in mediasoup. */
const NO_LIMIT = 2 ** 31 - 1;

/** What waits in a Worker to be sent over one link for messages, in bytes. What is sent beyond it is lost, and said to be. */
export const LINK_SEND_BUFFER = 128 * 1024 * 1024;

/**
 * SCTP tries at 0, 1, 3, 7, 15 and 31 s, and what is sent in the meantime waits. A network that swallows three packets of
 * ten needs more than two of these tries once in a hundred times.
 */
const ASSOCIATION_TIMEOUT_MS = 35_000;

/**
 * Messages are limited by the application's own Transports, at both ends of their way; what is in between takes what they
 * take. All streams of two Routers share what waits: as much as applications send at once, but not all of a machine's
 * memory where a network has stopped. Nothing of it is taken before it is needed.
 */
const forMessages = {
  enableSctp: true,
  maxSendMessageSize: NO_LIMIT,
  maxReceiveMessageSize: NO_LIMIT,
  sctpSendBufferSize: LINK_SEND_BUFFER,
  sctpPerStreamSendQueueLimit: LINK_SEND_BUFFER,
  // Parts of messages of many streams arrive in turns: where they found no room, the association would end.
  sctpMaxReceiverWindowBufferSize: NO_LIMIT,
} as const;

/** @param network whether it leaves the machine: then media is encrypted, and asked for again where packets are lost */
export function linkOptions(kind: LinkKind, network: boolean, listenInfo: TransportListenInfo): PipeTransportOptions {
  return { listenInfo, ...(kind === 'data' ? forMessages : { enableRtx: network, enableSrtp: network }) };
}

/**
 * Closes a link for messages when its SCTP association has ended, or has not come to be in time: SCTP gives up for good after
 * minutes without an answer, and the Transport would go on without it for ever. To be called when it is connected.
 */
export function closeWithAssociation(transport: PipeTransport, timeoutMs = ASSOCIATION_TIMEOUT_MS): void {
  const close = (why: string): void => {
    if (transport.closed) return;
    log('link %s closes: %s', transport.id, why);
    transport.close();
  };
  const timer = setTimeout(() => close(`no SCTP association in ${timeoutMs} ms`), timeoutMs).unref();
  const onState = (): void => {
    const { sctpState } = transport;
    if (sctpState === 'connected') clearTimeout(timer);
    if (sctpState === 'failed' || sctpState === 'closed') close(`its SCTP association is ${sctpState}`);
  };
  transport.on('sctpstatechange', onState);
  onceClosed(transport, () => clearTimeout(timer));
  onState();
}
