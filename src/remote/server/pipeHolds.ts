/**
 * Clients that want a pipe which starts here to flow. Each client knows only of the viewers that it has been told of,
 * so a pipe sleeps only when no client wants it any more: a client that does not know of another's viewer yet can't
 * pause it.
 */
import type { Consumer, DataConsumer } from 'mediasoup/types';
import { logger } from '../../core/logger.ts';
import type { TreeNode } from '../../core/objectTree.ts';
import { onceClosed } from '../../core/onceClosed.ts';
import type { Member } from './exportedObject.ts';
import { isPipe } from './exports.ts';

const log = logger('server');

type PipeConsumer = Consumer | DataConsumer;

/** Latest request of each client for a pipe. */
interface Requests {
  /** Clients that want it to flow. */
  readonly holders: Set<Member>;
  /** Clients that don't want it to flow any more. */
  readonly releasers: Set<Member>;
}

export class PipeHolds {
  readonly #requests = new Map<PipeConsumer, Requests>();

  /** Returns this client's `resume()` or `pause()` of a pipe's Consumer; undefined for other methods and objects. */
  method(client: Member, node: TreeNode | undefined, name: string): (() => Promise<void>) | undefined {
    const consumer = node && pipeConsumerOf(node);
    if (!consumer) return undefined;
    if (name === 'resume') return () => this.#hold(client, consumer);
    if (name === 'pause') return () => this.#release(client, consumer);
    return undefined;
  }

  /** Makes a pipe flow for a client that has asked for it awake, also if it existed already, and slept. */
  async offered(client: Member, node: TreeNode | undefined): Promise<void> {
    const consumer = node && pipeConsumerOf(node);
    if (!consumer) return;
    this.#add(client, consumer);
    if (consumer.paused) await consumer.resume();
  }

  /**
   * Forgets a client whose session has ended. Its viewers close by themselves, or stay for its return, so a pipe goes
   * on flowing, unless another client, which sees the remaining viewers, has released the pipe before. If a viewer has
   * come since, that client wakes the pipe.
   */
  forget(client: Member): void {
    for (const [consumer, { holders, releasers }] of this.#requests) {
      releasers.delete(client);
      if (!holders.delete(client) || holders.size > 0 || releasers.size === 0) continue;
      consumer.pause().catch(error => log.warn('pipe %s: %o', consumer.id, error));
    }
  }

  /**
   * Resumes the Consumer also for its first holder while it flows: it may be the mirror of a pipe on another server,
   * where this process must hold the pipe as well.
   */
  async #hold(client: Member, consumer: PipeConsumer): Promise<void> {
    if (this.#add(client, consumer) || consumer.paused) await consumer.resume();
  }

  /** @returns whether it is the only holder now */
  #add(client: Member, consumer: PipeConsumer): boolean {
    const requests = this.#requestsFor(consumer);
    if (!requests) return false;
    requests.releasers.delete(client);
    requests.holders.add(client);
    return requests.holders.size === 1;
  }

  async #release(client: Member, consumer: PipeConsumer): Promise<void> {
    const requests = this.#requestsFor(consumer);
    requests?.holders.delete(client);
    requests?.releasers.add(client);
    if (!requests || requests.holders.size === 0) await consumer.pause();
  }

  /** Returns undefined for a closed Consumer. */
  #requestsFor(consumer: PipeConsumer): Requests | undefined {
    const known = this.#requests.get(consumer);
    if (known || consumer.closed) return known;
    const requests: Requests = { holders: new Set(), releasers: new Set() };
    this.#requests.set(consumer, requests);
    onceClosed(consumer, () => this.#requests.delete(consumer));
    return requests;
  }
}

function pipeConsumerOf(node: TreeNode): PipeConsumer | undefined {
  return isPipe(node) && (node.type === 'consumer' || node.type === 'dataConsumer') ? node.object : undefined;
}
