/** Options and supervision of the Transports of links. */
import type { PipeTransport, PipeTransportOptions, TransportListenInfo } from 'mediasoup/types';
import { onceClosed } from '../../core/onceClosed.ts';
import { logger } from '../../core/logger.ts';
import type { LinkKind } from '../endpoint.ts';

const log = logger('link');

/** Largest size: mediasoup's sizes have 32 bits. */
const NO_LIMIT = 2 ** 31 - 1;

/**
 * Maximum size of the messages that wait in a Worker for a link, in bytes. Messages beyond it are lost, with
 * `sctpsendbufferfull`.
 */
export const LINK_SEND_BUFFER = 128 * 1024 * 1024;

/**
 * Time for an SCTP association to come up, in ms. SCTP tries at 0, 1, 3, 7, 15 and 31 s, and messages sent in the
 * meantime wait. On a network that loses three packets of ten, more than two of these tries are needed once in a
 * hundred times.
 */
const ASSOCIATION_TIMEOUT_MS = 35_000;

/**
 * Options of links for messages. The application's own Transports, at both ends of the way, limit messages; links in
 * between take any. All streams of two Routers share the queue: it holds as much as applications send at once, but not
 * all of a machine's memory while a network has stopped. Memory for it is taken only when it is needed.
 */
const forMessages = {
  enableSctp: true,
  maxSendMessageSize: NO_LIMIT,
  maxReceiveMessageSize: NO_LIMIT,
  sctpSendBufferSize: LINK_SEND_BUFFER,
  sctpPerStreamSendQueueLimit: LINK_SEND_BUFFER,
  // Fragments of messages of many streams arrive interleaved: without room for them, the association would end.
  sctpMaxReceiverWindowBufferSize: NO_LIMIT,
} as const;

/**
 * Returns the options of a link's PipeTransport.
 * @param network whether the link leaves the machine: then media is encrypted, and lost packets are sent again
 */
export function linkOptions(kind: LinkKind, network: boolean, listenInfo: TransportListenInfo): PipeTransportOptions {
  return { listenInfo, ...(kind === 'data' ? forMessages : { enableRtx: network, enableSrtp: network }) };
}

/**
 * Closes a link for messages when its SCTP association has ended, or has not come up in time: SCTP gives up for good
 * after minutes without an answer, and the Transport would go on without it for ever. Must be called when the Transport
 * is connected.
 */
export function closeWithAssociation(transport: PipeTransport, timeoutMs = ASSOCIATION_TIMEOUT_MS): void {
  const close = (reason: string): void => {
    if (transport.closed) return;
    log('link %s closes: %s', transport.id, reason);
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
