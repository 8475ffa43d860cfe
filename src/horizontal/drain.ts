/** Waits for a node to be empty, within bounds, and tells what is left there. */
import type { Consumer, DataConsumer, RtpObserver, Transport } from 'mediasoup/types';
import type { ClusterNode } from './clusterNode.ts';

export interface DrainOptions {
  /** How long to wait at most, in ms; default: until it is empty, however long that takes. */
  deadline?: number;
}

/** What was left on a node when draining it ended: all of them are empty if the node is. */
export interface DrainReport {
  /** Of the application. To move somebody, create another Transport for him, which will be elsewhere, and close this one. */
  transports: Transport[];
  rtpObservers: RtpObserver[];
  /** The pipes through which other nodes get streams from there. */
  pipes: (Consumer | DataConsumer)[];
  /** Calls that were creating something there, and had no answer yet. */
  underway: number;
}

/** Resolves when the node is empty, or no longer being drained, or the deadline has passed. */
export function untilDrained(node: ClusterNode, deadline: number | undefined): Promise<void> {
  return new Promise(resolve => {
    const finish = (): void => {
      clearTimeout(timer);
      node.off('change', check);
      resolve();
    };
    const check = (): void => void ((node.isEmpty || !node.draining) && finish());
    const timer = deadline === undefined ? undefined : setTimeout(finish, deadline);
    node.on('change', check);
    check();
  });
}

export function whatIsLeft(node: ClusterNode): DrainReport {
  const report: DrainReport = { transports: [], rtpObservers: [], pipes: [], underway: node.underway };
  for (const { type, object } of node.contents) {
    if (type === 'transport') report.transports.push(object);
    else if (type === 'rtpObserver') report.rtpObservers.push(object);
    else if (type === 'consumer' || type === 'dataConsumer') report.pipes.push(object);
  }
  return report;
}
