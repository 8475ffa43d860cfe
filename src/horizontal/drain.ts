/** Waits for a node to be empty, within bounds, and reports its remaining objects. */
import type { Consumer, DataConsumer, RtpObserver, Transport } from 'mediasoup/types';
import * as v from 'valibot';
import { optionsOf } from '../api/optionsSchema.ts';
import { duration } from '../api/optionTypes.ts';
import type { ClusterNode } from './clusterNode.ts';

/** Options of `MafaldaHorizontal.drain()`. */
export interface DrainOptions {
  /**
   * Maximum time to wait, in ms.
   * @default none: until the node is empty
   */
  deadline?: number | undefined;
}

export const drainOptions = optionsOf<DrainOptions>()({ deadline: v.optional(duration(0)) });

/**
 * Objects that were left on a node when draining it ended; all lists are empty, and `underway` is 0, if the node is
 * empty.
 */
export interface DrainReport {
  /**
   * Transports of the application. To move a client elsewhere, create another Transport for it, which will be on
   * another node, and close the old Transport.
   */
  transports: Transport[];
  /** RtpObservers of the application. */
  rtpObservers: RtpObserver[];
  /** Consumers of the pipes through which other nodes get streams from the node. */
  pipes: (Consumer | DataConsumer)[];
  /** Number of calls that were creating objects there, and had no answer yet. */
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
    const check = (): void => void ((node.isEmpty || !node.isDrainedHere) && finish());
    const timer = deadline === undefined ? undefined : setTimeout(finish, deadline);
    node.on('change', check);
    check();
  });
}

export function drainReportOf(node: ClusterNode): DrainReport {
  const report: DrainReport = { transports: [], rtpObservers: [], pipes: [], underway: node.underway };
  for (const { type, object } of node.contents) {
    if (type === 'transport') report.transports.push(object);
    else if (type === 'rtpObserver') report.rtpObservers.push(object);
    else if (type === 'consumer' || type === 'dataConsumer') report.pipes.push(object);
  }
  return report;
}
