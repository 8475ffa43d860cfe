import { scope } from './mafalda.ts';

export { Mafalda, type MafaldaOptions } from './mafalda.ts';
export { WorkerBudgetError } from '../shared/errors.ts';
export type { WorkerBudgetOptions } from './workerBudget.ts';
export type * from '../shared/publicTypes.ts';
export { mafaldaRouterDefaultOptions } from '../shared/options.ts';

export const { mafaldaRouters, workers, routers, transports, rtpObservers, closeAllMafaldaRouters, getResourceUsages, dump } = scope.exports;
