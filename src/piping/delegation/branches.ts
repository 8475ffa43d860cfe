/**
 * Branches of the streams of a MafaldaRouter: the Routers of other machines to which pipes of a stream lead, or are being
 * made. Read off the tree, and reserved before anything is awaited, so that a burst of askers is spread by itself.
 */
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { linkedRouterId } from '../endpoint.ts';
import { isDeadLink } from '../links/leftLinks.ts';
import { streamOf } from '../streamUsers.ts';
import type { Branch } from './policy.ts';

interface Entry {
  url: string | undefined;
  load: number;
  sentAt: number;
  /** Consumers of the pipes, and the reservations of those that are being made. */
  readonly pipes: Set<TreeNode | Reservation>;
}

/** Pipe that is being made. */
interface Reservation {
  readonly parent: undefined;
}

export class Branches {
  readonly #tree: ObjectTree;
  /** Branches by the id of the stream, and that of the Router. */
  readonly #byStream = new Map<string, Map<string, Entry>>();
  #sent = 0;

  /** @param tree is watched for as long as it lives */
  constructor(tree: ObjectTree) {
    this.#tree = tree;
    for (const node of tree.nodes()) this.#added(node);
    tree.on('add', node => this.#added(node)).on('remove', node => this.#removed(node));
  }

  has(streamId: string, routerId: string): boolean {
    return this.#byStream.get(streamId)?.has(routerId) === true;
  }

  /** Returns the branches of a stream, without those whose Router is taken for dead: they serve nobody. */
  of(streamId: string): Branch[] {
    return [...(this.#byStream.get(streamId) ?? [])]
      .filter(([, { pipes }]) => ![...pipes].every(isDead))
      .map(([routerId, { url, load, sentAt }]) => ({ routerId, url, load, sentAt }));
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
    const pipe: Reservation = { parent: undefined };
    Object.assign(this.#add(streamId, routerId, pipe), { url, load });
    return () => this.#delete(streamId, routerId, pipe);
  }

  /** Notes that an asker is sent to a branch. */
  noteSent(streamId: string, routerId: string): void {
    const entry = this.#byStream.get(streamId)?.get(routerId);
    if (entry) entry.sentAt = ++this.#sent;
  }

  #added(node: TreeNode): void {
    const pipe = this.#pipeOf(node);
    if (pipe) this.#add(pipe.streamId, pipe.to, node);
  }

  #removed(node: TreeNode): void {
    const pipe = this.#pipeOf(node);
    if (pipe) this.#delete(pipe.streamId, pipe.to, node);
  }

  /** Returns the pipe to another machine that a Consumer is; undefined for all other nodes. */
  #pipeOf(node: TreeNode): { streamId: string; to: string } | undefined {
    if ((node.type !== 'consumer' && node.type !== 'dataConsumer') || node.parent?.type !== 'transport')
      return undefined;
    const to = linkedRouterId(node.parent.object);
    if (to === undefined || this.#tree.routers.has(to)) return undefined;
    return { streamId: this.#tree.publicId(streamOf(node)), to };
  }

  #add(streamId: string, routerId: string, pipe: TreeNode | Reservation): Entry {
    const ofStream = this.#byStream.get(streamId) ?? new Map<string, Entry>();
    const entry = ofStream.get(routerId) ?? { url: undefined, load: 0, sentAt: 0, pipes: new Set() };
    entry.pipes.add(pipe);
    ofStream.set(routerId, entry);
    this.#byStream.set(streamId, ofStream);
    return entry;
  }

  #delete(streamId: string, routerId: string, pipe: TreeNode | Reservation): void {
    const ofStream = this.#byStream.get(streamId);
    const entry = ofStream?.get(routerId);
    if (!entry?.pipes.delete(pipe) || entry.pipes.size > 0) return;
    ofStream?.delete(routerId);
    if (ofStream?.size === 0) this.#byStream.delete(streamId);
  }
}

/** Returns whether the pipe leads to a Router that is taken for dead. */
function isDead({ parent }: TreeNode | Reservation): boolean {
  return parent?.type === 'transport' && isDeadLink(parent.object);
}
