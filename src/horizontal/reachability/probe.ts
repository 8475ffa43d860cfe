/** Probe of the way between two nodes, in both directions: a link of its own, which leaves nothing behind. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { DirectTransport, PipeTransport, Router, Transport } from 'mediasoup/types';
import { logger } from '../../core/logger.ts';
import { offerOf, toPipedStream, type LinkEnd, type LinkRequest } from '../../piping/endpoint.ts';
import { commonFamily } from '../../core/addresses/families.ts';
import type { MafaldaApi } from '../../api/types.ts';
import type { PipeableMafaldaRouter } from '../../base/pipeableMafaldaRouter.ts';

const log = logger('reachability');

/**
 * Limit for a probe, in ms: an SCTP association takes two round trips, and its lost packets are sent again after 1 s.
 */
const TIMEOUT_MS = 3000;

interface Side {
  mafaldaRouter: PipeableMafaldaRouter;
  router: Router;
  transport: DirectTransport;
}

/**
 * Resolves with whether packets get through: a link for messages makes an SCTP association by itself, for which packets
 * have to arrive at both ends.
 * @param signal ends the probe early, with false
 */
export async function probe(nodes: readonly [MafaldaApi, MafaldaApi], signal: AbortSignal): Promise<boolean> {
  const id = `mafalda-probe-${randomUUID()}`;
  const mafaldaRouters: PipeableMafaldaRouter[] = [];
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    // A node that is just being closed throws here.
    for (const node of nodes) mafaldaRouters.push(node.createMafaldaRouter({ id }) as PipeableMafaldaRouter);
    const [near, far] = (await Promise.all(mafaldaRouters.map(open))) as [Side, Side];
    const { id: dataProducerId } = await near.transport.produceData();
    const [outwards, inwards] = [between(near, far), between(far, near)];
    const options = { network: true, family: commonFamily(near.router, far.router) };
    const stream = { dataProducerId };
    const [answer, farEnd] = await Promise.all([
      near.mafaldaRouter.offerPipe({ ...outwards, ...options, stream }),
      far.mafaldaRouter.openLink({ ...inwards, ...options }),
    ]);
    const offer = offerOf(answer);
    const { end } = offer;
    const accepted = far.mafaldaRouter.acceptPipe({ ...inwards, remote: end, stream: toPipedStream(stream, offer) });
    await Promise.all([near.mafaldaRouter.connectLink({ ...outwards, remote: farEnd }), accepted]);
    await Promise.all([untilConnected(near, end, timeout), untilConnected(far, farEnd, timeout)]);
    return true;
  } catch (error) {
    log.warn('media does not get through: %o', error);
    return false;
  } finally {
    for (const mafaldaRouter of mafaldaRouters) mafaldaRouter.leave().catch(error => log.warn('%o', error));
  }
}

/** Opens a side of the probe, with a Router, which its Transport makes. */
async function open(mafaldaRouter: PipeableMafaldaRouter): Promise<Side> {
  const transport = await mafaldaRouter.createDirectTransport();
  const [router] = [...mafaldaRouter.routers.values()];
  if (!router) throw new Error('the Router has been closed');
  return { mafaldaRouter, router, transport };
}

function between(
  { router: { id: routerId } }: Side,
  { router: { id: remoteRouterId } }: Side,
): Pick<LinkRequest, 'routerId' | 'remoteRouterId' | 'link'> {
  return { routerId, remoteRouterId, link: 'data' };
}

async function untilConnected({ mafaldaRouter }: Side, { transportId }: LinkEnd, signal: AbortSignal): Promise<void> {
  const transport = mafaldaRouter.transports.get(transportId);
  if (!transport || !isPipe(transport)) throw new Error('the end of the link has been closed');
  signal.throwIfAborted();
  while (transport.sctpState !== 'connected') await once(transport, 'sctpstatechange', { signal });
}

function isPipe(transport: Transport): transport is PipeTransport {
  return transport.type === 'pipe';
}
