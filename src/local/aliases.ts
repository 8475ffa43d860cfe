/**
 * A mediasoup Worker has each Producer id once, in whichever of its Routers. That two MafaldaRouters share a Worker is no
 * business of the application's: if both have a Producer of the same id there (one piped it to the other, or the
 * application chooses its own ids), the second one gets another id in the Worker, and shows the one that it should have.
 */
import { randomUUID } from 'node:crypto';
import type { Consumer, DataConsumer, DataProducer, Producer, Transport } from 'mediasoup/types';

/** The ids that are taken in one Worker. */
export class WorkerStreamIds {
  readonly #taken = new Set<string>();

  /** @returns the id, or another one if it is taken */
  take(id: string): string {
    const free = this.#taken.has(id) ? randomUUID() : id;
    this.#taken.add(free);
    return free;
  }

  release(id: string): void {
    this.#taken.delete(id);
  }
}

/** The ids of one MafaldaRouter's streams that are other ones in their Workers. */
export class Aliases {
  readonly #publicIds = new Map<string, string>();
  readonly #workerIds = new WeakMap<Producer | DataProducer, string>();
  readonly #producers = new Map<string, Producer | DataProducer>();
  /** Serves all objects: each of them has a method of this name in its class. */
  readonly #dump: () => Promise<unknown>;

  constructor() {
    const withPublicIds = (dumped: unknown): unknown => (this.#publicIds.size > 0 ? this.#withPublicIds(dumped) : dumped);
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

  /** Lets what an object dumps name the ids that the application knows, wherever in it they are. */
  showInDump(object: { dump(): Promise<unknown> }): void {
    object.dump = this.#dump;
  }

  /** What the Producer's Worker knows it by. */
  workerIdOf(producer: Producer | DataProducer): string {
    return this.#workerIds.get(producer) ?? producer.id;
  }

  /** Makes a call of mediasoup's that sends the Producer's id to the Worker, before it waits for anything. */
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
    if (!this.#publicIds.has(workerId)) return;
    this.#workerIds.set(producer, workerId);
    this.#producers.set(workerId, producer);
    this.#show(producer);
    // mediasoup forgets it by the id that it knows: its listeners are the older ones, and run in between.
    const publicId = producer.id;
    const hide = (): void => this.#hide(producer);
    const show = (): void => defineId(producer, publicId);
    const hideIfClosing = (closing: unknown): unknown => closing === producer && hide();
    const showIfClosing = (closing: unknown): void => {
      if (closing !== producer) return;
      show();
      for (const event of events) transport.off(event, hideIfClosing).off(event, showIfClosing);
    };
    const events = ['@producerclose', '@dataproducerclose'] as const;
    for (const event of events) transport.prependListener(event, hideIfClosing).on(event, showIfClosing);
    (producer as Producer).prependListener('@close', hide).on('@close', show);
  }

  showConsumer(consumer: Consumer): void {
    const id = this.#publicIds.get(consumer.producerId);
    if (id !== undefined) Object.defineProperty(consumer, 'producerId', { value: id });
  }

  showDataConsumer(consumer: DataConsumer): void {
    const id = this.#publicIds.get(consumer.dataProducerId);
    if (id !== undefined) Object.defineProperty(consumer, 'dataProducerId', { value: id });
  }

  /** What stands for a public id is no other text: it is random. */
  #withPublicIds(dumped: unknown): unknown {
    if (typeof dumped === 'string') return this.publicIdOf(dumped);
    if (Array.isArray(dumped)) return dumped.map(element => this.#withPublicIds(element));
    if (typeof dumped !== 'object' || dumped === null) return dumped;
    return Object.fromEntries(Object.entries(dumped).map(([name, value]) => [name, this.#withPublicIds(value)]));
  }

  #show(producer: Producer | DataProducer): void {
    const publicId = this.#publicIds.get(this.workerIdOf(producer));
    if (publicId !== undefined) defineId(producer, publicId);
  }

  /** Behind the property is mediasoup's own, which tells the id in the Worker. */
  #hide(producer: Producer | DataProducer): void {
    delete (producer as { id?: string }).id;
  }
}

function defineId(producer: Producer | DataProducer, value: string): void {
  Object.defineProperty(producer, 'id', { configurable: true, value });
}
