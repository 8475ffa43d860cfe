/** Share of a server that a client may take: calls underway, their bytes, and objects. */
import type { Measure } from '../protocol/measure.ts';
import type { MemoryAccount, MemoryBudget } from '../protocol/memory.ts';
import { limitError, type Limits, type ServerUse } from './limits.ts';
import type { ServedMafalda } from './servedMafalda.ts';

/** Values in the arguments of one call; processing more would delay other clients. */
const MAX_VALUES = 20_000;

export interface QuotaContext {
  readonly limits: Limits;
  readonly use: ServerUse;
  readonly served: Pick<ServedMafalda, 'exports' | 'attached'>;
  /** Bytes that are kept for this client. */
  readonly memory: MemoryAccount;
  /** Bytes that are kept for all clients together. */
  readonly budget: MemoryBudget;
}

export class Quota {
  readonly #context: QuotaContext;
  #pendingCalls = 0;
  /** Objects that are shown to the client, in all MafaldaRouters that it is attached to and in its own Workers. */
  #objects = 0;
  #objectBytes = 0;

  constructor(context: QuotaContext) {
    this.#context = context;
  }

  /** Counts objects that are shown to the client, and their bytes; negative numbers subtract. */
  count(objects: number, bytes: number): void {
    this.#objects += objects;
    this.#objectBytes += bytes;
  }

  /**
   * Counts a call that is about to be performed.
   * @returns to be called when it has an answer
   * @throws {LimitError} if too many calls are underway, or too large ones
   * @throws {RangeError} if its arguments have too many values
   */
  admitCall(method: string, { bytes, values }: Measure): () => void {
    const { limits, memory } = this.#context;
    if (this.#pendingCalls >= limits.pendingCalls) {
      throw limitError(
        'pendingCalls',
        limits,
        `${method}(): ${this.#pendingCalls} calls wait for their answers already: await some of them`,
      );
    }
    if (memory.isOver(bytes)) {
      const state = `${method}(): the calls that wait for their answers take ${memory.bytes} bytes already: await some of them`;
      throw limitError(memory.bytes > this.#context.budget.share ? 'totalBytes' : 'sessionBytes', limits, state);
    }
    if (values > MAX_VALUES) throw new RangeError(`${method}(): the arguments have more than ${MAX_VALUES} values`);
    ++this.#pendingCalls;
    memory.add(bytes);
    return () => {
      --this.#pendingCalls;
      memory.add(-bytes);
    };
  }

  /**
   * Must be called before an object is created.
   * @param mafaldaRouters number of MafaldaRouters that the client is attached to
   * @throws {LimitError} if there is no place for another object
   */
  admitObject(method: string, mafaldaRouters: number): void {
    const { limits, use, budget } = this.#context;
    const { exports, attached } = this.#context.served;
    const objects = this.#objects + mafaldaRouters;
    const all = exports.size + attached;
    if (use.isFull(limits.objects, objects, all)) {
      throw limitError(
        'objects',
        limits,
        `${method}(): the clients have ${all} objects here, this one ${objects}: close some of them`,
      );
    }
    const bytes = this.#objectBytes;
    const state = `${method}(): the objects of the clients take ${exports.bytes} bytes, those of this one ${bytes}: close some of them`;
    if (use.isFull(limits.objectBytes, bytes, exports.bytes)) throw limitError('objectBytes', limits, state);
    if (bytes >= budget.share) throw limitError('totalBytes', limits, state);
  }
}
