/**
 * Members of mediasoup's module beside its Workers. All of them are properties of the object rather than of its class,
 * since applications spread a module, and list its members.
 */
import { errors, extras, ortc, version, workerBin } from 'mediasoup';
import type { Index } from 'mediasoup/types';

/** Members that differ from machine to machine. */
export type ModuleFacts = Pick<Index, 'version' | 'workerBin'>;

export abstract class MediasoupModule {
  /** Version of mediasoup on the machine that makes the Workers, or in this process while none is known. */
  declare readonly version: string;
  /** Path of the Worker's binary on the machine that makes the Workers, or on this machine while none is known. */
  declare readonly workerBin: string;
  /** Error classes of this process's mediasoup: its errors have them wherever they come from. */
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
