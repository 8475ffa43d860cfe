/** Options of a Mafalda, with their schema. */
import type { WebRtcServerOptions } from 'mediasoup/types';
import * as v from 'valibot';
import { optionsOf, rule } from '../api/optionsSchema.ts';
import { duration, orFalse } from '../api/optionTypes.ts';
import {
  addressConflict,
  addressOptions,
  webRtcServerOptions,
  type AddressOptions,
} from '../core/addresses/addresses.ts';
import { workerBudgetOptions, type WorkerBudgetOptions } from './workerBudget.ts';

/** Options of a Mafalda. */
export interface MafaldaOptions extends AddressOptions {
  /**
   * Limit for the Workers of all processes of this machine. `false`: no common limit, for several simulated machines on
   * a single machine.
   * @default as many Workers as cores, in a file that all processes share
   */
  workerBudget?: WorkerBudgetOptions | false | undefined;
  /**
   * Lets WebRtcTransports without addresses share the ports of a WebRtcServer. Each Worker has a WebRtcServer of its
   * own, so with several Workers the listen infos need a `portRange` rather than a `port`.
   * @default none: each WebRtcTransport has ports of its own, at the addresses that the caller or the options give
   */
  webRtcServerOptions?: WebRtcServerOptions | undefined;
  /**
   * Time after which an unused pipe closes, and then a link without pipes, in ms.
   * @default 2000
   */
  idlePipeTimeout?: number | undefined;
}

export const mafaldaOptions = v.pipe(
  optionsOf<MafaldaOptions>()({
    workerBudget: v.optional(orFalse(workerBudgetOptions), {}),
    webRtcServerOptions: v.optional(webRtcServerOptions),
    idlePipeTimeout: v.optional(duration(0), 2000),
    ...addressOptions.entries,
  }),
  rule(options => addressConflict(options)),
);
