/** Replaces methods of the objects that a MafaldaRouter over several nodes hands out: see `piping/intercept`. */
import type { Router } from 'mediasoup/types';
import type { TreeNode } from '../../core/objectTree.ts';
import { isLinkTransport } from '../../piping/endpoint.ts';
import { interceptClose, interceptRtpObserver, interceptTransport, type StreamAccess } from '../../piping/intercept.ts';
import { showOrigins } from '../../piping/showOrigins.ts';
import type { Streams } from '../../piping/streams.ts';

/** Functions that return the access to streams from a Router, for each type of object that uses streams. */
export type Accesses = Readonly<Record<'transport' | 'rtpObserver', (router: Router) => StreamAccess>>;

export function interceptObject({ type, object, parent }: TreeNode, streams: Streams, access: Accesses): void {
  const isOrigin =
    (type === 'producer' || type === 'dataProducer') && parent?.type === 'transport' && !isLinkTransport(parent.object);
  if (isOrigin) interceptClose(object, streams);
  if (parent?.type !== 'router') return;
  const router = parent.object;
  if (type === 'transport' && !isLinkTransport(object)) {
    interceptClose(object, streams);
    interceptTransport(object, router, access.transport(router));
  }
  if (type === 'rtpObserver') {
    interceptRtpObserver(object, access.rtpObserver(router));
    showOrigins(object, streams);
  }
}
