import { scope } from './mafalda.ts';

export { Mafalda, type MafaldaOptions } from './mafalda.ts';
export { WorkerBudgetError } from '../api/errors.ts';
export type { WorkerBudgetOptions } from './workerBudget.ts';
export type * from '../api/publicTypes.ts';
export { mafaldaRouterDefaultOptions } from '../api/options.ts';

export const {
  mafaldaRouters,
  workers,
  routers,
  transports,
  rtpObservers,
  closeAllMafaldaRouters,
  getResourceUsages,
  dump,
} = scope.exports;
