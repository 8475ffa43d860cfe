/** A MafaldaRouter as the layers of the package see it: applications see less of it. */
import type { MafaldaRouterBase } from '../../src/base/mafaldaRouterBase.ts';
import type { PipeableMafaldaRouter } from '../../src/base/pipeableMafaldaRouter.ts';
import type { MafaldaRouter } from '../../src/index.ts';

export type MafaldaRouterInside = PipeableMafaldaRouter & Pick<MafaldaRouterBase, 'streams'>;

export function inside(mafaldaRouter: MafaldaRouter): MafaldaRouterInside {
  return mafaldaRouter as MafaldaRouterInside;
}
