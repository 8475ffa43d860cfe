/** Collects evidence of a silent node: asks the ends of links on other nodes whether they still get packets from it. */
import type { PipeTransport } from 'mediasoup/types';
import { logger } from '../../core/logger.ts';
import { bytesOf, isReceiving, type LinkTable, type NodeLinkEnd } from '../reachability/linkTable.ts';
import type { ClusterNode } from '../clusterNode.ts';

const log = logger('liveness');

/** Maximum number of ends that are asked, which is enough, since each is asked several times. */
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

  /** @param now returns milliseconds, from any moment on */
  constructor(links: LinkTable<ClusterNode>, now: () => number) {
    this.#links = links;
    this.#now = now;
  }

  /** Returns the time since others got packets from the node, in ms; Infinity if no end has reported any. */
  provenFor(node: ClusterNode): number {
    const provenAt = this.#provenAt.get(node);
    return provenAt === undefined ? Infinity : this.#now() - provenAt;
  }

  /**
   * Asks the witnesses of a node. From its second answer on, an end shows whether packets have come since the answer
   * before.
   */
  ask(node: ClusterNode): void {
    const witnesses = this.#witnesses.get(node) ?? new Map<PipeTransport, Witness>();
    this.#witnesses.set(node, witnesses);
    for (const [transport, { end }] of witnesses)
      if (transport.closed || !canTell(end.node)) witnesses.delete(transport);
    if (witnesses.size < MAX_ENDS) this.#summon(node, witnesses);
    for (const witness of witnesses.values()) if (!witness.isAsked) void this.#ask(node, witness);
  }

  /** Forgets the evidence. Must be called when the node is heard again, or is no longer used. */
  forget(node: ClusterNode): void {
    this.#witnesses.delete(node);
    this.#provenAt.delete(node);
  }

  #summon(node: ClusterNode, witnesses: Map<PipeTransport, Witness>): void {
    const perNode = new Map<ClusterNode, number>();
    const ends = [...this.#links.endsTowards(node)].filter(end => canTell(end.node) && !witnesses.has(end.transport));
    // An end that receives media shows packets sooner than an end with reports only.
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
      log.warn('%s could not be asked for %s: %o', witness.end.node.id, node.id, error);
    } finally {
      witness.isAsked = false;
    }
  }
}

function canTell({ connected, unreachable, lost }: ClusterNode): boolean {
  return connected && !unreachable && !lost;
}
