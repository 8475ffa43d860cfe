/**
 * Supervises the pipes of a MafaldaRouter between nodes, also those of other controllers, whose makers may go at any
 * time: joins their ends, and confirms them to their sources.
 */
import type { Router } from 'mediasoup/types';
import type { ObjectTree } from '../../core/objectTree.ts';
import { Confirmations } from '../../piping/confirmations.ts';
import type { PipeEndpoint } from '../../piping/endpoint.ts';
import { PairedEnds } from '../../piping/links/pairedEnds.ts';
import type { Streams } from '../../piping/streams.ts';
import type { StreamUsers } from '../../piping/streamUsers.ts';
import type { ClusterNode } from '../clusterNode.ts';

/** Time that the maker of a pipe has to confirm it before others do, in ms: its source waits longer. */
const CONFIRM_AFTER_MS = 3000;

export interface PipeSupervisionOptions {
  tree: ObjectTree;
  streams: Streams;
  users: StreamUsers;
  nodeOf: (router: Router) => ClusterNode;
  /** Returns whether the Router's objects have closed here only because they are out of sight. */
  isLost: (router: Router) => boolean;
  /** Returns the MafaldaRouter's part on a node. */
  partOn: (node: ClusterNode) => PipeEndpoint;
}

export class PipeSupervision {
  readonly #confirmations = new Confirmations(CONFIRM_AFTER_MS);
  readonly #pairedEnds: PairedEnds;

  constructor({ tree, streams, users, nodeOf, isLost, partOn }: PipeSupervisionOptions) {
    this.#pairedEnds = new PairedEnds({
      tree,
      streams,
      users,
      domainOf: nodeOf,
      isLost,
      onPaired: (source, consumer, destination) => {
        const link = 'kind' in consumer ? 'media' : 'data';
        const request = { routerId: source.id, remoteRouterId: destination.id, link } as const;
        this.#confirmations.add(partOn(nodeOf(source)), request, consumer.id);
      },
    });
  }

  /** Sends the confirmations that wait, and ends. */
  close(): void {
    this.#pairedEnds.close();
    this.#confirmations.flush();
  }
}
