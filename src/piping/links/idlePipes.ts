/** Closes copies and links in a MafaldaRouter's Routers that are no longer used. */
import { GraceTimers } from '../../core/graceTimers.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { linkedRouterId } from '../endpoint.ts';

/** Minimum time in which a requested stream or link must be used, in ms: longer than a round trip takes. */
const EXPECTED_MS = 2000;

/**
 * Ends a use.
 * @param expecting whether other uses will follow, such as the consumers of a stream that has just arrived
 */
export type Release = (expecting?: boolean) => void;

export class IdlePipes {
  readonly #timeoutMs: number;
  readonly #timers: GraceTimers<TreeNode>;
  /** Number of users of a stream or link in a Router, users that are being made included. */
  readonly #uses = new Map<string, number>();
  /** Ends of pipes and links, by the same keys. */
  readonly #ends = new Map<string, Set<TreeNode>>();

  constructor(tree: ObjectTree, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#timers = new GraceTimers(timeoutMs, node => this.#closeIfIdle(node));
    tree.on('add', node => this.#added(node)).on('remove', node => this.#removed(node));
    tree.on('observe', (rtpObserver, producerId) => this.#used(keyOf(rtpObserver.parent, producerId)));
    tree.on('unobserve', (rtpObserver, producerId) => this.#released(keyOf(rtpObserver.parent, producerId)));
  }

  clear(): void {
    this.#timers.clear();
  }

  /**
   * Counts a user that is being made: from now on until released, the stream or link does not close.
   * @param id the id of a stream, or of the Router at the other end of a link
   */
  hold(routerId: string, id: string): Release {
    const key = toKey(routerId, id);
    this.#used(key);
    return (expecting = false) => this.#released(key, expecting);
  }

  #added(node: TreeNode): void {
    const [used, end] = [usedBy(node), endOf(node)];
    if (used !== undefined) this.#used(used);
    if (end === undefined) return;
    this.#ends.set(end, (this.#ends.get(end) ?? new Set()).add(node));
    // The new end may never be used.
    this.#start(node, true);
  }

  #removed(node: TreeNode): void {
    this.#timers.cancel(node);
    const [used, end] = [usedBy(node), endOf(node)];
    if (end !== undefined) {
      const ends = this.#ends.get(end);
      ends?.delete(node);
      if (ends?.size === 0) this.#ends.delete(end);
    }
    if (used !== undefined) this.#released(used);
    const link = node.parent && endOf(node.parent);
    if (link !== undefined && node.parent) this.#start(node.parent, false);
  }

  #used(key: string): void {
    this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1);
  }

  /** Starts the idle time when the last user has gone. */
  #released(key: string, expecting = false): void {
    const left = (this.#uses.get(key) ?? 0) - 1;
    if (left > 0) return void this.#uses.set(key, left);
    this.#uses.delete(key);
    for (const node of this.#ends.get(key) ?? []) this.#start(node, expecting);
  }

  #start(node: TreeNode, expecting: boolean): void {
    if (!node.object.closed)
      this.#timers.start(node, expecting ? Math.max(EXPECTED_MS, this.#timeoutMs) : this.#timeoutMs);
  }

  #closeIfIdle(node: TreeNode): void {
    const key = endOf(node);
    if (key === undefined || this.#uses.has(key) || (node.type === 'transport' && node.children.size > 0)) return;
    closeObject(node);
  }
}

/** Returns the key of the stream that a node uses. */
function usedBy(node: TreeNode): string | undefined {
  if (node.type === 'consumer') return keyOf(routerOf(node), node.object.producerId);
  if (node.type === 'dataConsumer') return keyOf(routerOf(node), node.object.dataProducerId);
  return undefined;
}

/** Returns the key of a link's Transport, or of a copy that it produces. */
function endOf(node: TreeNode): string | undefined {
  if (node.type === 'transport') {
    const remoteRouterId = linkedRouterId(node.object);
    return remoteRouterId === undefined ? undefined : keyOf(node.parent, remoteRouterId);
  }
  if ((node.type !== 'producer' && node.type !== 'dataProducer') || node.parent?.type !== 'transport') return undefined;
  return linkedRouterId(node.parent.object) === undefined ? undefined : keyOf(routerOf(node), node.id);
}

function routerOf(child: TreeNode): TreeNode | undefined {
  return child.parent?.parent;
}

function keyOf(router: TreeNode | undefined, id: string): string {
  return toKey(router?.id ?? '', id);
}

function toKey(routerId: string, id: string): string {
  return `${routerId} ${id}`;
}

function closeObject(node: TreeNode): void {
  node.object.close();
}
