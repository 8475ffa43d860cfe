/** Closes what pipes have brought into a MafaldaRouter's Routers when nobody there consumes it any longer. */
import { GraceTimers } from '../shared/graceTimers.ts';
import type { ObjectTree, TreeNode } from '../shared/objectTree.ts';
import { isLinkTransport } from '../shared/piping/endpoint.ts';

const IDLE_PIPE_GRACE_MS = 2000;

export class IdlePipes {
  readonly #tree: ObjectTree;
  readonly #timers = new GraceTimers<TreeNode>(IDLE_PIPE_GRACE_MS, node => this.#closeIfIdle(node));

  constructor(tree: ObjectTree) {
    this.#tree = tree;
    tree.on('add', node => this.#added(node)).on('remove', node => this.#removed(node));
    tree.on('unobserve', (rtpObserver, producerId) => this.#released(rtpObserver.parent, producerId));
  }

  clear(): void {
    this.#timers.clear();
  }

  #added(node: TreeNode): void {
    // Nobody may come for what has just arrived.
    if (isPipeEnd(node)) this.#timers.start(node);
  }

  #removed(node: TreeNode): void {
    this.#timers.cancel(node);
    if (node.type === 'consumer') this.#released(routerOf(node), node.object.producerId);
    if (node.type === 'dataConsumer') this.#released(routerOf(node), node.object.dataProducerId);
    for (const id of node.observed) this.#released(node.parent, id);
    if (node.parent && isPipeEnd(node.parent)) this.#timers.start(node.parent);
  }

  /** Someone in a Router doesn't need a stream any more: if a pipe has brought it, it may go. */
  #released(router: TreeNode | undefined, streamId: string): void {
    for (const transport of router?.children ?? []) {
      // A large room closes at once: to look at all that is in it for each consumer would take long.
      if (!isPipeEnd(transport)) continue;
      for (const stream of transport.children) {
        if (stream.id === streamId && isPipeEnd(stream) && this.#tree.nodeOf(stream.object)) this.#timers.start(stream);
      }
    }
  }

  #closeIfIdle(node: TreeNode): void {
    if (node.type === 'transport' ? node.children.size === 0 : !this.#isUsed(node)) closeObject(node);
  }

  #isUsed(stream: TreeNode): boolean {
    for (const node of routerOf(stream)?.children ?? []) {
      if (node.observed.has(stream.id)) return true;
      for (const child of node.children) {
        if (child.type === 'consumer' && child.object.producerId === stream.id) return true;
        if (child.type === 'dataConsumer' && child.object.dataProducerId === stream.id) return true;
      }
    }
    return false;
  }
}

/** A link's Transport, or what it produces. */
function isPipeEnd(node: TreeNode): boolean {
  if (node.type === 'transport') return isLinkTransport(node.object);
  return (node.type === 'producer' || node.type === 'dataProducer') && node.parent?.type === 'transport' && isLinkTransport(node.parent.object);
}

function routerOf(child: TreeNode): TreeNode | undefined {
  return child.parent?.parent;
}

function closeObject(node: TreeNode): void {
  node.object.close();
}
