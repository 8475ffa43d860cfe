export { MafaldaHorizontal as default } from './horizontal/index.ts';
export * from './horizontal/index.ts';
export * from './remote/index.ts';
export { Mafalda, WorkerBudgetError, type MafaldaOptions, type WorkerBudgetOptions } from './mafalda/index.ts';
export type * from './shared/types.ts';
