/** Asks the ends of pipes on other nodes whether they still get packets from a node that is silent. */
import type { PipeTransport } from 'mediasoup/types';
import { logger } from '../../core/logger.ts';
import { bytesOf, isReceiving, type LinkTable, type NodeLinkEnd } from '../reachability/linkTable.ts';
import type { ClusterNode } from '../clusterNode.ts';

const log = logger('liveness');

/** A few are enough, and they are asked several times each. */
const MAX_ENDS = 4;
const MAX_ENDS_PER_NODE = 2;

interface Witness {
  readonly end: NodeLinkEnd<ClusterNode>;
  received?: number;
  isAsked: boolean;
}

export class Evidence {
  readonly #links: LinkTable<ClusterNode>;
  readonly #now: () => number;
  readonly #witnesses = new Map<ClusterNode, Map<PipeTransport, Witness>>();
  readonly #provenAt = new Map<ClusterNode, number>();

  /** @param now milliseconds, from any moment on */
  constructor(links: LinkTable<ClusterNode>, now: () => number) {
    this.#links = links;
    this.#now = now;
  }

  /** How long ago others got packets from it, in ms; Infinity if nobody has told. */
  provenFor(node: ClusterNode): number {
    const provenAt = this.#provenAt.get(node);
    return provenAt === undefined ? Infinity : this.#now() - provenAt;
  }

  /** The second answer of an end, and each later one, tells whether anything has come since the one before. */
  ask(node: ClusterNode): void {
    const witnesses = this.#witnesses.get(node) ?? new Map<PipeTransport, Witness>();
    this.#witnesses.set(node, witnesses);
    for (const [transport, { end }] of witnesses)
      if (transport.closed || !canTell(end.node)) witnesses.delete(transport);
    if (witnesses.size < MAX_ENDS) this.#summon(node, witnesses);
    for (const witness of witnesses.values()) if (!witness.isAsked) void this.#ask(node, witness);
  }

  /** To be called when the node is heard again, or is none of ours any more. */
  forget(node: ClusterNode): void {
    this.#witnesses.delete(node);
    this.#provenAt.delete(node);
  }

  #summon(node: ClusterNode, witnesses: Map<PipeTransport, Witness>): void {
    const perNode = new Map<ClusterNode, number>();
    const ends = [...this.#links.endsTowards(node)].filter(end => canTell(end.node) && !witnesses.has(end.transport));
    // An end through which media comes tells sooner than one on which there are only reports.
    for (const end of [...ends.filter(isReceiving), ...ends.filter(end => !isReceiving(end))]) {
      const count = perNode.get(end.node) ?? 0;
      if (witnesses.size >= MAX_ENDS || count >= MAX_ENDS_PER_NODE) continue;
      perNode.set(end.node, count + 1);
      witnesses.set(end.transport, { end, isAsked: false });
    }
  }

  async #ask(node: ClusterNode, witness: Witness): Promise<void> {
    witness.isAsked = true;
    try {
      const { received } = await bytesOf(witness.end.transport);
      const isProven = witness.received !== undefined && received > witness.received;
      witness.received = received;
      // The node may have been heard in the meantime.
      if (isProven && this.#witnesses.has(node)) this.#provenAt.set(node, this.#now());
    } catch (error) {
      log('%s could not be asked for %s: %o', witness.end.node.id, node.id, error);
    } finally {
      witness.isAsked = false;
    }
  }
}

function canTell({ connected, unreachable, lost }: ClusterNode): boolean {
  return connected && !unreachable && !lost;
}
