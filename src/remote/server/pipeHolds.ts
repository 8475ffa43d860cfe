/**
 * Clients that want a pipe to flow that starts here. Each of them knows only of the viewers that it has heard of: so a pipe sleeps when none of
 * them wants it any more, and one that has not heard of another's viewer yet takes nothing from it.
 */
import type { Consumer, DataConsumer } from 'mediasoup/types';
import type { TreeNode } from '../../core/objectTree.ts';
import { onceClosed } from '../../core/onceClosed.ts';
import type { Audience } from './exportedObject.ts';
import { isPipe } from './exports.ts';

type PipeConsumer = Consumer | DataConsumer;

export class PipeHolds {
  readonly #holders = new Map<PipeConsumer, Set<Audience>>();

  /** Returns what `resume()` and `pause()` of a pipe's Consumer do for this client; undefined for all else. */
  method(client: Audience, node: TreeNode | undefined, name: string): (() => Promise<void>) | undefined {
    const consumer = node && pipeConsumerOf(node);
    if (!consumer) return undefined;
    if (name === 'resume') return () => this.#hold(client, consumer);
    if (name === 'pause') return () => this.#release(client, consumer);
    return undefined;
  }

  /** A pipe that was asked for awake flows for who has asked, also if it was there already, and slept. */
  async offered(client: Audience, node: TreeNode | undefined): Promise<void> {
    const consumer = node && pipeConsumerOf(node);
    if (!consumer) return;
    this.#add(client, consumer);
    if (consumer.paused) await consumer.resume();
  }

  /** The client's session is over. What it has watched goes by itself, or stays for its return: nothing is put to sleep by that. */
  forget(client: Audience): void {
    for (const holders of this.#holders.values()) holders.delete(client);
  }

  /** The first one holds it below too, where what starts here is the client of another server: also if it flows there for somebody else. */
  async #hold(client: Audience, consumer: PipeConsumer): Promise<void> {
    if (this.#add(client, consumer) || consumer.paused) await consumer.resume();
  }

  /** @returns whether it is the first one */
  #add(client: Audience, consumer: PipeConsumer): boolean {
    const holders = this.#holders.get(consumer);
    if (holders) {
      holders.add(client);
      return holders.size === 1;
    }
    if (consumer.closed) return false;
    this.#holders.set(consumer, new Set([client]));
    onceClosed(consumer, () => this.#holders.delete(consumer));
    return true;
  }

  async #release(client: Audience, consumer: PipeConsumer): Promise<void> {
    const holders = this.#holders.get(consumer);
    holders?.delete(client);
    if (!holders || holders.size === 0) await consumer.pause();
  }
}

function pipeConsumerOf(node: TreeNode): PipeConsumer | undefined {
  return isPipe(node) && (node.type === 'consumer' || node.type === 'dataConsumer') ? node.object : undefined;
}
