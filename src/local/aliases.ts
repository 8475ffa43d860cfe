/**
 * Aliases of streams. A mediasoup Worker has each Producer id once, in whichever of its Routers. An application need
 * not know which MafaldaRouters share a Worker: if two of them have a Producer of the same id there (piped from one to
 * the other, or with an id of the application's choice), the second Producer gets another id in the Worker, and shows
 * the id that it should have.
 */
import { randomUUID } from 'node:crypto';
import type { Consumer, DataConsumer, DataProducer, Producer, Transport } from 'mediasoup/types';

/** Stream ids that are taken in a Worker. */
export class WorkerStreamIds {
  readonly #taken = new Set<string>();

  /**
   * Takes an id.
   * @returns the id, or a new id if it is taken
   */
  take(id: string): string {
    const free = this.#taken.has(id) ? randomUUID() : id;
    this.#taken.add(free);
    return free;
  }

  release(id: string): void {
    this.#taken.delete(id);
  }
}

/** Ids of a MafaldaRouter's streams that are different in their Workers. */
export class Aliases {
  readonly #publicIds = new Map<string, string>();
  readonly #ids = new WeakMap<object, { workerId: string; publicId: string }>();
  /** Transports whose listeners hide the public ids of Producers while these close. */
  readonly #hiding = new WeakSet<Transport>();
  readonly #producers = new Map<string, Producer | DataProducer>();
  /** Method `dump()` of all objects, which calls the method of the object's class. */
  readonly #dump: () => Promise<unknown>;

  constructor() {
    const withPublicIds = (dumped: unknown): unknown =>
      this.#publicIds.size > 0 ? this.#withPublicIds(dumped) : dumped;
    this.#dump = async function (this: object) {
      const ofClass = Object.getPrototypeOf(this) as { dump: () => Promise<unknown> };
      return withPublicIds(await ofClass.dump.call(this));
    };
  }

  add(workerId: string, publicId: string): void {
    this.#publicIds.set(workerId, publicId);
  }

  delete(workerId: string): void {
    this.#publicIds.delete(workerId);
    this.#producers.delete(workerId);
  }

  publicIdOf(workerId: string): string {
    return this.#publicIds.get(workerId) ?? workerId;
  }

  /** Makes `dump()` of an object name public ids, wherever in the dump they are. */
  showInDump(object: { dump(): Promise<unknown> }): void {
    object.dump = this.#dump;
  }

  /** Returns the id of a Producer in its Worker. */
  workerIdOf(producer: Producer | DataProducer): string {
    return this.#ids.get(producer)?.workerId ?? producer.id;
  }

  /** Runs a call of mediasoup's that sends the Producer's id to the Worker before its first `await`. */
  withWorkerId<T>(workerId: string, call: () => T): T {
    const producer = this.#producers.get(workerId);
    if (!producer) return call();
    this.#hide(producer);
    try {
      return call();
    } finally {
      this.#show(producer);
    }
  }

  showProducer(producer: Producer | DataProducer, transport: Transport): void {
    const workerId = producer.id;
    const publicId = this.#publicIds.get(workerId);
    if (publicId === undefined) return;
    this.#ids.set(producer, { workerId, publicId });
    this.#producers.set(workerId, producer);
    this.#show(producer);
    // mediasoup removes the Producer by the id that it knows, in its own listener, which runs between these two.
    (producer as Producer)
      .prependListener('@close', () => this.#hide(producer))
      .on('@close', () => this.#show(producer));
    if (this.#hiding.has(transport)) return;
    this.#hiding.add(transport);
    for (const event of ['@producerclose', '@dataproducerclose'] as const) {
      transport
        .prependListener(event, (closing: object) => this.#hide(closing))
        .on(event, (closing: object) => this.#show(closing));
    }
  }

  showConsumer(consumer: Consumer): void {
    const id = this.#publicIds.get(consumer.producerId);
    if (id !== undefined) Object.defineProperty(consumer, 'producerId', { value: id });
  }

  showDataConsumer(consumer: DataConsumer): void {
    const id = this.#publicIds.get(consumer.dataProducerId);
    if (id !== undefined) Object.defineProperty(consumer, 'dataProducerId', { value: id });
  }

  /** Replaces all texts that are ids in the Worker: such an id is random, so that no other text equals it. */
  #withPublicIds(dumped: unknown): unknown {
    if (typeof dumped === 'string') return this.publicIdOf(dumped);
    if (Array.isArray(dumped)) return dumped.map(element => this.#withPublicIds(element));
    if (typeof dumped !== 'object' || dumped === null) return dumped;
    return Object.fromEntries(Object.entries(dumped).map(([name, value]) => [name, this.#withPublicIds(value)]));
  }

  #show(producer: object): void {
    const ids = this.#ids.get(producer);
    if (ids) Object.defineProperty(producer, 'id', { configurable: true, value: ids.publicId });
  }

  /** Deletes the property of the object, so that mediasoup's own property shows the id in the Worker. */
  #hide(producer: object): void {
    if (this.#ids.has(producer)) delete (producer as { id?: string }).id;
  }
}
