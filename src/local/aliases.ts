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
  readonly #ids = new WeakMap<object, { workerId: string; publicId: string }>();
  /** Transports that hide the ids of such Producers while these close. */
  readonly #hiding = new WeakSet<Transport>();
  readonly #producers = new Map<string, Producer | DataProducer>();
  /** Serves all objects: each of them has a method of this name in its class. */
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

  /** Lets what an object dumps name the ids that the application knows, wherever in it they are. */
  showInDump(object: { dump(): Promise<unknown> }): void {
    object.dump = this.#dump;
  }

  /** What the Producer's Worker knows it by. */
  workerIdOf(producer: Producer | DataProducer): string {
    return this.#ids.get(producer)?.workerId ?? producer.id;
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
    const publicId = this.#publicIds.get(workerId);
    if (publicId === undefined) return;
    this.#ids.set(producer, { workerId, publicId });
    this.#producers.set(workerId, producer);
    this.#show(producer);
    // mediasoup forgets it by the id that it knows: its listeners are the older ones, and run in between.
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

  /** What stands for a public id is no other text: it is random. */
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

  /** Behind the property is mediasoup's own, which tells the id in the Worker. */
  #hide(producer: object): void {
    if (this.#ids.has(producer)) delete (producer as { id?: string }).id;
  }
}
