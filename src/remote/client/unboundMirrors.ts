/**
 * Mirrors of the objects of a server that the client has moved away from, until the next server shows the objects under
 * the same ids, or has shown all that there are.
 */
import { Multimap } from '../../core/multimap.ts';
import type { MirrorCore } from './mirrorCore.ts';
import type { Identified } from './unconfirmedCloses.ts';

/** Reasons that Consumers have to close when their stream has gone. */
const endedStream: Readonly<Record<string, { stream: string; cause: string } | undefined>> = {
  Consumer: { stream: 'producerId', cause: 'producerclose' },
  DataConsumer: { stream: 'dataProducerId', cause: 'dataproducerclose' },
};

export class UnboundMirrors implements Iterable<MirrorCore> {
  /** By their ids, which a stream and its copies have in common. */
  readonly #byId = new Multimap<string, MirrorCore>();

  [Symbol.iterator](): Iterator<MirrorCore> {
    return this.#byId.values();
  }

  add(core: MirrorCore): void {
    this.#byId.add(core.id, core);
  }

  delete(core: MirrorCore): void {
    this.#byId.delete(core.id, core);
  }

  /** Takes out the mirror of an object that the present server shows. */
  take(object: Identified): MirrorCore | undefined {
    // Mostly there are none, and a server shows many objects.
    if (this.#byId.size === 0) return undefined;
    const core = this.#byId.get(object.id).find(other => isSame(other, object));
    if (core) this.delete(core);
    return core;
  }

  /**
   * Ends the mirrors of a MafaldaRouter step by step, since their objects are gone: streams before their Consumers,
   * which so learn of the reason. Workers end when none of their Routers is left.
   * @param streams ids of the streams that the present server shows
   */
  *ending(mafaldaRouter: string, streams: ReadonlySet<string>): Generator<void, void, undefined> {
    const missing = [...this].filter(core => core.mafaldaRouter === mafaldaRouter);
    for (const core of missing) {
      if (!endedStream[core.className] && !core.isBound) yield* core.ending(undefined, []);
      yield;
    }
    for (const core of missing) {
      const ended = endedStream[core.className];
      // The object may have been shown, late, since the first step.
      if (!ended || core.closed || core.isBound) continue;
      const isStreamGone = !streams.has(String(core.read(ended.stream)));
      core.end(isStreamGone ? ended.cause : undefined, []);
      yield;
    }
    for (const core of this) {
      if (core.className !== 'SharedWorker' || core.children.size > 0) continue;
      core.end(undefined, []);
      this.delete(core);
    }
  }

  clear(): void {
    this.#byId.clear();
  }
}

/** Whether all servers that show the two show a single object. A Worker is the same in all MafaldaRouters. */
function isSame(core: MirrorCore, { className, parentId, mafaldaRouter }: Identified): boolean {
  if (core.className !== className || core.parentId !== parentId) return false;
  return className === 'SharedWorker' || core.mafaldaRouter === mafaldaRouter;
}
