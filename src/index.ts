export { Mafalda } from './mafalda/index.ts';
export type * from './shared/types.ts';
