export { Mafalda } from './mafalda.ts';
export { mafaldaRouterDefaultOptions } from '../shared/options.ts';
