/**
 * Mirrors of the objects of a server that the client has moved away from, until the next server shows the objects under
 * the same ids, or has shown all that there are.
 */
import type { MirrorCore } from './mirrorCore.ts';
import { identityOf, type Identified } from './unconfirmedCloses.ts';

/** Reasons that Consumers have to close when their stream has gone. */
const endedStream: Readonly<Record<string, { stream: string; cause: string } | undefined>> = {
  Consumer: { stream: 'producerId', cause: 'producerclose' },
  DataConsumer: { stream: 'dataProducerId', cause: 'dataproducerclose' },
};

export class UnboundMirrors implements Iterable<MirrorCore> {
  readonly #mirrors = new Map<string, MirrorCore>();

  [Symbol.iterator](): MapIterator<MirrorCore> {
    return this.#mirrors.values();
  }

  get size(): number {
    return this.#mirrors.size;
  }

  add(core: MirrorCore): void {
    this.#mirrors.set(keyOf(core), core);
  }

  delete(core: MirrorCore): void {
    if (this.#mirrors.get(keyOf(core)) === core) this.#mirrors.delete(keyOf(core));
  }

  /** Takes out the mirror of an object that the present server shows. */
  take(object: Identified): MirrorCore | undefined {
    // Mostly there are none: a key is made for each object that a server shows.
    if (this.#mirrors.size === 0) return undefined;
    const key = keyOf(object);
    const core = this.#mirrors.get(key);
    this.#mirrors.delete(key);
    return core;
  }

  /**
   * Closes the mirrors of a MafaldaRouter, since their objects are gone: streams before their Consumers, which so learn
   * of the reason. Workers close when none of their Routers is left.
   * @param hasStream whether the present server shows a stream of this id
   */
  end(mafaldaRouter: string, hasStream: (id: string) => boolean): void {
    const missing = [...this.#mirrors.values()].filter(core => core.mafaldaRouter === mafaldaRouter);
    for (const core of missing) if (!endedStream[core.className]) core.end(undefined, []);
    for (const core of missing) {
      const ended = endedStream[core.className];
      if (!ended || core.closed) continue;
      const isStreamGone = !hasStream(String(core.read(ended.stream)));
      core.end(isStreamGone ? ended.cause : undefined, []);
    }
    for (const core of this.#mirrors.values()) {
      if (core.className !== 'SharedWorker' || core.children.size > 0) continue;
      core.end(undefined, []);
      this.delete(core);
    }
  }

  clear(): void {
    this.#mirrors.clear();
  }
}

/** A Worker is the same in all MafaldaRouters. */
function keyOf(object: Identified): string {
  return identityOf(object.className === 'SharedWorker' ? { ...object, mafaldaRouter: undefined } : object);
}
