/**
 * Branches of the streams of a MafaldaRouter: the Routers of other machines to which pipes of a stream lead, or are being
 * made. Read off the tree, and reserved before anything is awaited, so that a burst of askers is spread by itself.
 */
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { linkedRouterId } from '../endpoint.ts';
import { streamOf } from '../streamUsers.ts';
import type { Branch } from './policy.ts';

interface Entry {
  url: string | undefined;
  load: number;
  sentAt: number;
  /** Number of pipes, those included that are being made. */
  pipes: number;
}

export class Branches {
  readonly #tree: ObjectTree;
  /** Branches by the id of the stream, and that of the Router. */
  readonly #byStream = new Map<string, Map<string, Entry>>();
  #sent = 0;

  /** @param tree is watched for as long as it lives */
  constructor(tree: ObjectTree) {
    this.#tree = tree;
    for (const node of tree.nodes()) this.#count(node, 1);
    tree.on('add', node => this.#count(node, 1)).on('remove', node => this.#count(node, -1));
  }

  has(streamId: string, routerId: string): boolean {
    return this.#byStream.get(streamId)?.has(routerId) === true;
  }

  /** Returns the branches of a stream. */
  of(streamId: string): Branch[] {
    return [...(this.#byStream.get(streamId) ?? [])].map(([routerId, { url, load, sentAt }]) => ({
      routerId,
      url,
      load,
      sentAt,
    }));
  }

  /**
   * Counts a branch that is being made.
   * @returns to be called when its pipe is there, or can't be made
   */
  reserve(
    streamId: string,
    routerId: string,
    { url, load = 0 }: { url?: string | undefined; load?: number },
  ): () => void {
    const entry = this.#change(streamId, routerId, 1);
    if (entry) Object.assign(entry, { url, load });
    return () => void this.#change(streamId, routerId, -1);
  }

  /** Notes that an asker is sent to a branch. */
  noteSent(streamId: string, routerId: string): void {
    const entry = this.#byStream.get(streamId)?.get(routerId);
    if (entry) entry.sentAt = ++this.#sent;
  }

  /** Counts the Consumer of a pipe that leads to another machine. */
  #count(node: TreeNode, change: 1 | -1): void {
    if ((node.type !== 'consumer' && node.type !== 'dataConsumer') || node.parent?.type !== 'transport') return;
    const to = linkedRouterId(node.parent.object);
    if (to === undefined || this.#tree.routers.has(to)) return;
    this.#change(this.#tree.publicId(streamOf(node)), to, change);
  }

  /** @returns the branch, if it is there still */
  #change(streamId: string, routerId: string, change: 1 | -1): Entry | undefined {
    const ofStream = this.#byStream.get(streamId) ?? new Map<string, Entry>();
    const entry = ofStream.get(routerId) ?? { url: undefined, load: 0, sentAt: 0, pipes: 0 };
    entry.pipes += change;
    if (entry.pipes > 0) {
      ofStream.set(routerId, entry);
      this.#byStream.set(streamId, ofStream);
      return entry;
    }
    ofStream.delete(routerId);
    if (ofStream.size === 0) this.#byStream.delete(streamId);
    return undefined;
  }
}
