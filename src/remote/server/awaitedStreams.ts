/**
 * Streams that calls of a client wait for. The answer to the call that brings a stream may wait for the answers of the
 * calls that use it: they follow at once, and the client awaits them all.
 */
import { Counts } from '../../core/counts.ts';
import type { ClientMessage } from '../protocol/messages.ts';
import { isRecord } from '../protocol/validate.ts';

type Call = Pick<Extract<ClientMessage, { type: 'call' }>, 'method' | 'args'>;

const uses: ReadonlySet<string> = new Set(['consume', 'consumeData', 'addProducer']);

const uncounted = (): void => undefined;

export class AwaitedStreams {
  readonly #used = new Counts();

  /**
   * Counts a call that uses a stream.
   * @returns to be called when it has an answer
   */
  begin({ method, args: [options] }: Call): () => void {
    if (!uses.has(method) || !isRecord(options)) return uncounted;
    const id = options['producerId'] ?? options['dataProducerId'];
    if (typeof id !== 'string') return uncounted;
    this.#used.add(id);
    return () => this.#used.delete(id);
  }

  /** Returns whether the call brings a stream that other calls wait for. */
  isFollowed({ method, args: [request] }: Call): boolean {
    if (method !== 'acceptPipe' || !isRecord(request) || !isRecord(request['stream'])) return false;
    const { id } = request['stream'];
    return typeof id === 'string' && this.#used.has(id);
  }
}
