import { scope } from './mafalda.ts';

export { Mafalda } from './mafalda.ts';
export type { MafaldaOptions } from './mafaldaOptions.ts';
export { WorkerBudgetError } from '../api/errors.ts';
export type { AddressOptions } from '../core/addresses/addresses.ts';
export type { WorkerBudgetOptions } from './workerBudget.ts';
export type * from '../api/publicTypes.ts';
export { mafaldaRouterDefaultOptions } from '../api/mafaldaRouterOptions.ts';

// Objects of the Mafaldas of this machine in this process. The Maps are read-only, and always current.
export const {
  /** MafaldaRouters, by id. */
  mafaldaRouters,
  /** mediasoup Workers, by id. */
  workers,
  /** mediasoup Routers, by id. */
  routers,
  /** Transports, by id. */
  transports,
  /** RtpObservers, by id. */
  rtpObservers,
  /** Closes all MafaldaRouters. */
  closeAllMafaldaRouters,
  /** Resolves with the usage of each Worker, by its id, of the Mafaldas that answer within 8 s. */
  getResourceUsages,
  /** Resolves with a dump of each Mafalda that answers within 8 s. */
  dump,
} = scope.exports;
