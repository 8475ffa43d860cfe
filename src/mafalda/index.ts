export { Mafalda, type MafaldaOptions } from './mafalda.ts';
export { WorkerBudgetError, type WorkerBudgetOptions } from './workerBudget.ts';
export { mafaldaRouterDefaultOptions } from '../shared/options.ts';
