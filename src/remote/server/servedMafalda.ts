/** The Mafalda that a server serves, and those of its MafaldaRouters that clients are attached to. */
import type { MafaldaApi, MafaldaRouterOptions, PipeableMafaldaRouter } from '../../shared/types.ts';
import { logger } from '../../shared/logger.ts';
import { resolveMafaldaRouterOptions } from '../../shared/options.ts';
import type { MemoryBudget } from '../protocol/memory.ts';
import type { WorkerSettings } from 'mediasoup/types';
import type { Audience } from './exportedObject.ts';
import { Exports } from './exports.ts';
import { TreeExport } from './treeExport.ts';

const log = logger('server');

/** Programs and files of this machine: not for a caller at another one to choose. */
const LOCAL_SETTINGS = ['workerBin', 'dtlsCertificateFile', 'dtlsPrivateKeyFile'] as const;

/** A MafaldaRouter that has clients. */
export interface Attached {
  readonly mafaldaRouter: PipeableMafaldaRouter;
  readonly tree: TreeExport;
}

export class ServedMafalda {
  readonly mafalda: MafaldaApi;
  readonly exports: Exports;
  readonly #attached = new Map<string, Attached>();
  /** Made for clients, rather than by an application in this process. */
  readonly #ours = new WeakSet<PipeableMafaldaRouter>();
  /** Those of which clients have only told the id so far: what they are like is left to who knows. */
  readonly #leftOpen = new WeakSet<PipeableMafaldaRouter>();

  constructor(mafalda: MafaldaApi, serverId: string, memory: MemoryBudget) {
    this.mafalda = mafalda;
    this.exports = new Exports(serverId, memory);
  }

  /** How many MafaldaRouters have clients. */
  get attached(): number {
    return this.#attached.size;
  }

  attach(member: Audience, options: MafaldaRouterOptions): Attached {
    refuseLocalSettings(options?.workerSettings, 'workerSettings.');
    const { id, routerOptions } = resolveMafaldaRouterOptions(options);
    const existing = this.mafalda.mafaldaRouters.get(id) as PipeableMafaldaRouter | undefined;
    if (existing && options.routerOptions && this.#leftOpen.delete(existing)) existing.define(routerOptions);
    const mafaldaRouter = this.mafalda.createMafaldaRouter(options) as PipeableMafaldaRouter;
    if (!existing) this.#ours.add(mafaldaRouter);
    if (!existing && !options?.routerOptions) this.#leftOpen.add(mafaldaRouter);
    const attached = this.#attached.get(mafaldaRouter.id) ?? this.#export(mafaldaRouter);
    attached.tree.attach(member);
    return attached;
  }

  /** What nobody is attached to any longer is closed: nobody else would ever do it. */
  detach(member: Audience, { tree, mafaldaRouter }: Attached): void {
    tree.detach(member);
    if (tree.audience > 0) return;
    if (!this.#ours.has(mafaldaRouter)) {
      this.#attached.delete(mafaldaRouter.id);
      tree.close();
      return;
    }
    mafaldaRouter.leave().catch(error => log('leaving MafaldaRouter %s: %o', mafaldaRouter.id, error));
  }

  #export(mafaldaRouter: PipeableMafaldaRouter): Attached {
    const { id } = mafaldaRouter;
    const attached = { mafaldaRouter, tree: new TreeExport(mafaldaRouter.tree, this.exports, id) };
    this.#attached.set(id, attached);
    mafaldaRouter.once('close', () => {
      if (this.#attached.get(id) !== attached) return;
      this.#attached.delete(id);
      attached.tree.tell({ type: 'closeMafaldaRouter', mafaldaRouter: id });
      attached.tree.close();
    });
    return attached;
  }
}

/** @throws {TypeError} if a caller at another machine wants to choose what is this machine's own business */
export function refuseLocalSettings(settings: WorkerSettings | undefined, where = ''): void {
  for (const name of LOCAL_SETTINGS) {
    if (settings?.[name] !== undefined) throw new TypeError(`${where}${name} can't be chosen from outside`);
  }
}
