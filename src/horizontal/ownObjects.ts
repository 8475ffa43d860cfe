/**
 * What this controller has created. What is lost with a node closes here; if the node comes back and still has it, it is
 * closed there as well: its peers have long been told that it is gone, and nobody else would ever close it.
 */
import type { RtpObserver, Transport } from 'mediasoup/types';
import { onceClosed } from '../shared/onceClosed.ts';
import type { ObjectTree } from '../shared/objectTree.ts';
import type { ClusterNode } from './clusterNode.ts';

export class OwnObjects {
  readonly #open = new Map<ClusterNode, Set<Transport | RtpObserver>>();
  /** Ids of what has closed here while its node could not be told. */
  readonly #lost = new Map<ClusterNode, Set<string>>();

  add(node: ClusterNode, object: Transport | RtpObserver): void {
    const open = this.#open.get(node) ?? new Set();
    this.#open.set(node, open.add(object));
    onceClosed(object, () => {
      open.delete(object);
      if (node.connected) return;
      const lost = this.#lost.get(node) ?? new Set();
      this.#lost.set(node, lost.add(object.id));
    });
  }

  /** To be called when the node has told what it has. */
  closeLost(node: ClusterNode, { transports, rtpObservers }: ObjectTree): void {
    for (const id of this.#lost.get(node) ?? []) (transports.get(id) ?? rtpObservers.get(id))?.close();
    this.#lost.delete(node);
  }

  /** To be called when the node has been told after all. */
  forgetLost(node: ClusterNode): void {
    this.#lost.delete(node);
  }

  /** To be called when the node is no longer ours. */
  close(node: ClusterNode): void {
    for (const object of this.#open.get(node) ?? []) object.close();
    this.#open.delete(node);
    this.#lost.delete(node);
  }
}
