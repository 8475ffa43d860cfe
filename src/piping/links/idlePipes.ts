/** Closes what pipes have brought into a MafaldaRouter's Routers when nobody there uses it any longer. */
import { GraceTimers } from '../../core/graceTimers.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { linkedRouterId } from '../endpoint.ts';

export const DEFAULT_IDLE_PIPE_TIMEOUT_MS = 2000;
/** Whatever was asked for is given this long at least until somebody comes for it: longer than a round trip takes. */
const EXPECTED_MS = 2000;

/** Ends the use. @param expecting whether others will follow, such as the consumers of a stream that has just arrived */
export type Release = (expecting?: boolean) => void;

export class IdlePipes {
  readonly #timeoutMs: number;
  readonly #timers: GraceTimers<TreeNode>;
  /** How many use a stream or a link of a Router: those that are there, and those that are being made. */
  readonly #uses = new Map<string, number>();
  /** The ends of pipes and links, by the same keys. */
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
   * Counts somebody as a user who is still being made: from now on until released, nothing that it needs closes.
   * @param what the id of a stream, or of the Router at the other end of a link
   */
  hold(routerId: string, what: string): Release {
    const key = toKey(routerId, what);
    this.#used(key);
    return (expecting = false) => this.#released(key, expecting);
  }

  #added(node: TreeNode): void {
    const [used, end] = [usedBy(node), endOf(node)];
    if (used !== undefined) this.#used(used);
    if (end === undefined) return;
    this.#ends.set(end, (this.#ends.get(end) ?? new Set()).add(node));
    // Nobody may come for what has just arrived.
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

  /** With the last user the time begins after which what has been used may go. */
  #released(key: string, expecting = false): void {
    const left = (this.#uses.get(key) ?? 0) - 1;
    if (left > 0) return void this.#uses.set(key, left);
    this.#uses.delete(key);
    for (const node of this.#ends.get(key) ?? []) this.#start(node, expecting);
  }

  #start(node: TreeNode, expecting: boolean): void {
    if (!node.object.closed) this.#timers.start(node, expecting ? Math.max(EXPECTED_MS, this.#timeoutMs) : this.#timeoutMs);
  }

  #closeIfIdle(node: TreeNode): void {
    const key = endOf(node);
    if (key === undefined || this.#uses.has(key) || (node.type === 'transport' && node.children.size > 0)) return;
    closeObject(node);
  }
}

/** The key of what a node uses. */
function usedBy(node: TreeNode): string | undefined {
  if (node.type === 'consumer') return keyOf(routerOf(node), node.object.producerId);
  if (node.type === 'dataConsumer') return keyOf(routerOf(node), node.object.dataProducerId);
  return undefined;
}

/** The key of a link's Transport, or of what it produces. */
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

function keyOf(router: TreeNode | undefined, what: string): string {
  return toKey(router?.id ?? '', what);
}

function toKey(routerId: string, what: string): string {
  return `${routerId} ${what}`;
}

function closeObject(node: TreeNode): void {
  node.object.close();
}
