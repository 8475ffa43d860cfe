/**
 * Closes links whose other end a client has lost sight of. Whether that end is dead is found out here, where its
 * packets arrive.
 */
import type { PipeTransportStat, Transport } from 'mediasoup/types';
import { logger } from '../../core/logger.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { linkedRouterId, type LeaveRequest } from '../endpoint.ts';
import { type ConsumerNode, type StreamUsers } from '../streamUsers.ts';

const log = logger('link');

const LOOK_EVERY_MS = 1000;
/** Silence after which a link closes: reports on packets sent and received come every few seconds, if any were sent. */
export const SILENT_MS = 15_000;

interface Left {
  /** Bytes at the latest look; undefined before the first. */
  received: number | undefined;
  /** Duration without packets, in ms. */
  silentMs: number;
}

/** Links whose other end is dead, as far as is known: nothing has come through them since that was said. */
const dead = new WeakSet<object>();

/** Returns whether the link leads to a Router that is taken for dead. */
export function isDeadLink(transport: object): boolean {
  return dead.has(transport);
}

export class LeftLinks {
  readonly #tree: ObjectTree;
  readonly #users: StreamUsers;
  readonly #left = new Map<Transport, Left>();
  #timer: NodeJS.Timeout | undefined;

  /** @param users of the same tree */
  constructor(tree: ObjectTree, users: StreamUsers) {
    this.#tree = tree;
    this.#users = users;
    tree.on('remove', ({ type, object }) => void (type === 'transport' && this.#left.delete(object)));
  }

  leave({ routerId, remoteRouterId, consumerIds, isLast, isDead }: LeaveRequest): void {
    const router = this.#tree.routers.get(routerId);
    const node = router && this.#tree.nodeOf<'router'>(router);
    if (!node) return;
    const given = new Set(consumerIds);
    const links = [...node.children]
      .filter(child => child.type === 'transport')
      .filter(({ object }) => linkedRouterId(object) === remoteRouterId);
    for (const link of links)
      for (const consumer of this.#behind(router.id, link)) if (given.has(consumer.id)) giveUp(consumer);
    for (const link of links) {
      if (isDead && !this.#isHeard(link.object)) this.#closeCopies(link);
      if (isLast || !this.#isUsed(router.id, link)) link.object.close();
      else this.#watch(link.object);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#left.clear();
  }

  /**
   * Closes what has come through a link from a Router that is dead. What is sent into the link goes on for now: a process
   * that is only slow, whose Workers live, has receivers that miss it.
   */
  #closeCopies(link: TreeNode<'transport'>): void {
    dead.add(link.object);
    for (const { type, object } of [...link.children]) if (isProducer(type)) object.close();
  }

  /** Returns the Consumers of the streams that have come through a link. */
  #behind(routerId: string, link: TreeNode<'transport'>): ConsumerNode[] {
    return [...link.children].flatMap(({ type, id }) =>
      isProducer(type) ? [...this.#users.consumers(routerId, id)] : [],
    );
  }

  /**
   * Returns whether the link is used. A link that sends counts as used: its receivers are known at its other end only.
   */
  #isUsed(routerId: string, link: TreeNode<'transport'>): boolean {
    for (const { type, id } of link.children) {
      if (!isProducer(type) || this.#users.isObserved(routerId, id)) return true;
      for (const _consumer of this.#users.consumers(routerId, id)) return true;
    }
    return false;
  }

  /** Returns whether packets come, as far as is known: then what is said of the other end is wrong. */
  #isHeard(transport: Transport): boolean {
    const { received, silentMs } = this.#left.get(transport) ?? {};
    return received !== undefined && silentMs === 0;
  }

  #watch(transport: Transport): void {
    if (!this.#left.has(transport)) this.#left.set(transport, { received: undefined, silentMs: 0 });
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  #look(): void {
    if (this.#left.size === 0) return this.close();
    for (const [transport, left] of this.#left) {
      this.#lookAt(transport, left).catch(error => transport.closed || log.warn('link %s: %o', transport.id, error));
    }
  }

  async #lookAt(transport: Transport, left: Left): Promise<void> {
    let received = 0;
    for (const { bytesReceived } of (await transport.getStats()) as PipeTransportStat[]) received += bytesReceived;
    const isHeard = left.received !== undefined && received > left.received;
    left.silentMs = isHeard ? 0 : left.silentMs + LOOK_EVERY_MS;
    left.received = received;
    if (isHeard) dead.delete(transport);
    if (left.silentMs < SILENT_MS || transport.closed) return;
    log('link %s closes: nothing comes through it, and somebody has said that its other end is gone', transport.id);
    transport.close();
  }
}

function isProducer(type: TreeNode['type']): boolean {
  return type === 'producer' || type === 'dataProducer';
}

/** Closes a Consumer with the events of a closed Producer. */
function giveUp({ type, object }: ConsumerNode): void {
  if (type === 'consumer') object.safeEmit('producerclose');
  else object.safeEmit('dataproducerclose');
  object.close();
}
