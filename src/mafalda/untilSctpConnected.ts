import { once } from 'node:events';
import type { PipeTransport } from 'mediasoup/types';

const TIMEOUT_MS = 5000;

/** @throws if the SCTP association fails, the Transport closes, or nothing is heard of the other end in 5 s */
export async function untilSctpConnected(transport: PipeTransport): Promise<void> {
  const done = new AbortController();
  const timeout = setTimeout(() => done.abort(), TIMEOUT_MS);
  const closed = (): void => done.abort();
  transport.observer.once('close', closed);
  try {
    while (transport.sctpState !== 'connected') {
      if (transport.sctpState === 'failed' || transport.sctpState === 'closed') done.abort();
      await once(transport, 'sctpstatechange', { signal: done.signal });
    }
  } catch (error) {
    throw new Error(`no SCTP association between the two ends of the link (state: ${transport.sctpState})`, { cause: error });
  } finally {
    clearTimeout(timeout);
    transport.observer.off('close', closed);
  }
}
