/**
 * Members of mediasoup's module beside its Workers. All of them belong to the object itself rather than to its class: applications spread a
 * module, and list what it has.
 */
import { errors, extras, ortc, version, workerBin } from 'mediasoup';
import type { Index } from 'mediasoup/types';

/** Members that differ from machine to machine. */
export type ModuleFacts = Pick<Index, 'version' | 'workerBin'>;

export abstract class MediasoupModule {
  /** Of the machine on which Workers are made, or of this process as long as none is known. */
  declare readonly version: string;
  /** Likewise: a path on that machine. */
  declare readonly workerBin: string;
  /** The classes of this process's mediasoup, which its errors have wherever they come from. */
  readonly errors = errors;
  readonly extras = extras;
  readonly ortc = ortc;

  constructor() {
    Object.defineProperties(this, {
      version: { enumerable: true, get: () => this.facts?.version ?? version },
      workerBin: { enumerable: true, get: () => this.facts?.workerBin ?? workerBin },
    });
  }

  protected abstract get facts(): ModuleFacts | undefined;
}
