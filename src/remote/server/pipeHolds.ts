/**
 * Clients that want a pipe to flow that starts here. Each of them knows only of the viewers that it has heard of: so a pipe sleeps when none of
 * them wants it any more, and one that has not heard of another's viewer yet takes nothing from it.
 */
import type { Consumer, DataConsumer } from 'mediasoup/types';
import { logger } from '../../core/logger.ts';
import type { TreeNode } from '../../core/objectTree.ts';
import { onceClosed } from '../../core/onceClosed.ts';
import type { Audience } from './exportedObject.ts';
import { isPipe } from './exports.ts';

const log = logger('server');

type PipeConsumer = Consumer | DataConsumer;

/** What clients have said of a pipe, each last. */
interface Voices {
  readonly holders: Set<Audience>;
  /** Those that don't want it any more. */
  readonly others: Set<Audience>;
}

export class PipeHolds {
  readonly #voices = new Map<PipeConsumer, Voices>();

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

  /**
   * The client's session is over. What it has watched goes by itself, or stays for its return: that puts nothing to sleep, unless another client, which
   * sees who is left, has said before that nobody wants the pipe. If that is not so any more, the same client wakes it.
   */
  forget(client: Audience): void {
    for (const [consumer, { holders, others }] of this.#voices) {
      others.delete(client);
      if (!holders.delete(client) || holders.size > 0 || others.size === 0) continue;
      consumer.pause().catch(error => log('pipe %s: %o', consumer.id, error));
    }
  }

  /** The first one holds it below too, where what starts here is the client of another server: also if it flows there for somebody else. */
  async #hold(client: Audience, consumer: PipeConsumer): Promise<void> {
    if (this.#add(client, consumer) || consumer.paused) await consumer.resume();
  }

  /** @returns whether it is the first one */
  #add(client: Audience, consumer: PipeConsumer): boolean {
    const voices = this.#voicesOf(consumer);
    if (!voices) return false;
    voices.others.delete(client);
    voices.holders.add(client);
    return voices.holders.size === 1;
  }

  async #release(client: Audience, consumer: PipeConsumer): Promise<void> {
    const voices = this.#voicesOf(consumer);
    voices?.holders.delete(client);
    voices?.others.add(client);
    if (!voices || voices.holders.size === 0) await consumer.pause();
  }

  /** Undefined of one that has closed. */
  #voicesOf(consumer: PipeConsumer): Voices | undefined {
    const known = this.#voices.get(consumer);
    if (known || consumer.closed) return known;
    const voices: Voices = { holders: new Set(), others: new Set() };
    this.#voices.set(consumer, voices);
    onceClosed(consumer, () => this.#voices.delete(consumer));
    return voices;
  }
}

function pipeConsumerOf(node: TreeNode): PipeConsumer | undefined {
  return isPipe(node) && (node.type === 'consumer' || node.type === 'dataConsumer') ? node.object : undefined;
}
