/**
 * Objects that a module has created in this process, behind the Maps and functions that each module with a Mafalda
 * implementation exports beside its class.
 */
import type { MafaldaDump } from '../api/dump.ts';
import { ObjectTree } from '../core/objectTree.ts';
import { ReadOnlyMap } from '../core/readOnlyMap.ts';
import { logger } from '../core/logger.ts';
import { logRejection } from '../core/logRejections.ts';
import { answersWithin } from '../core/within.ts';
import type { MafaldaApi, MafaldaRouter, ResourceUsages } from '../api/types.ts';
import type { PipeableMafaldaRouter } from './pipeableMafaldaRouter.ts';

const log = logger('scope');

/** Limit for an instance's answer, in ms: longer than a MafaldaHorizontal waits for nodes that have nodes. */
const ANSWER_TIMEOUT_MS = 8000;

/** Members of a Mafalda that are needed here. */
type Instance = Pick<MafaldaApi, 'getResourceUsages' | 'dump'>;

export class ModuleScope {
  readonly tree = new ObjectTree(undefined, true);
  readonly mafaldaRouters: ReadonlyMap<string, PipeableMafaldaRouter>;
  readonly #mafaldaRouters = new Map<string, PipeableMafaldaRouter>();
  readonly #all = new Set<PipeableMafaldaRouter>();
  readonly #instances = new Set<Instance>();
  readonly #wider: ModuleScope | undefined;

  /** @param wider the scope of a module that re-exports this module */
  constructor(wider?: ModuleScope) {
    this.mafaldaRouters = new ReadOnlyMap(this.#mafaldaRouters);
    this.#wider = wider;
  }

  /** Adds an instance. Called with its first MafaldaRouter: before that it has created nothing. */
  addInstance(instance: Instance): void {
    this.#instances.add(instance);
    this.#wider?.addInstance(instance);
  }

  removeInstance(instance: Instance): void {
    this.#instances.delete(instance);
    this.#wider?.removeInstance(instance);
  }

  addMafaldaRouter(mafaldaRouter: PipeableMafaldaRouter): void {
    this.#all.add(mafaldaRouter);
    // Several instances may know the same MafaldaRouter, each with an object of its own: the first object is shown.
    if (!this.#mafaldaRouters.has(mafaldaRouter.id)) this.#mafaldaRouters.set(mafaldaRouter.id, mafaldaRouter);
    this.tree.include(mafaldaRouter.tree);
    this.#wider?.addMafaldaRouter(mafaldaRouter);
  }

  removeMafaldaRouter(mafaldaRouter: PipeableMafaldaRouter): void {
    const { id, tree } = mafaldaRouter;
    this.#all.delete(mafaldaRouter);
    if (this.#mafaldaRouters.get(id) === mafaldaRouter) {
      this.#mafaldaRouters.delete(id);
      for (const other of this.#all)
        if (other.id === id && !this.#mafaldaRouters.has(id)) this.#mafaldaRouters.set(id, other);
    }
    this.tree.exclude(tree);
    this.#wider?.removeMafaldaRouter(mafaldaRouter);
  }

  async closeAllMafaldaRouters(): Promise<void> {
    await Promise.all([...this.#all].map(mafaldaRouter => mafaldaRouter.close()));
  }

  /** Resolves with the usages of the instances that answer: the server of an instance may be gone. */
  async getResourceUsages(): Promise<ResourceUsages> {
    const usages = await this.#ask(instance => instance.getResourceUsages());
    return Object.assign({}, ...usages) as ResourceUsages;
  }

  /** Resolves with a dump of each instance that answers. */
  async dump(): Promise<MafaldaDump[]> {
    const dumps = await this.#ask(instance => instance.dump());
    return dumps.filter(dump => dump !== undefined);
  }

  #ask<T>(question: (instance: Instance) => Promise<T>): Promise<(T | undefined)[]> {
    const answers = [...this.#instances].map(async instance => question(instance));
    return answersWithin(answers, ANSWER_TIMEOUT_MS, (_index, reason) => log.warn('left out: %o', reason));
  }

  /** Members that a module exports. */
  get exports(): ModuleExports {
    const { workers, routers, transports, rtpObservers } = this.tree;
    return {
      mafaldaRouters: this.mafaldaRouters,
      workers,
      routers,
      transports,
      rtpObservers,
      closeAllMafaldaRouters: () => logRejection(this.closeAllMafaldaRouters(), 'closeAllMafaldaRouters()'),
      getResourceUsages: () => logRejection(this.getResourceUsages(), 'getResourceUsages()'),
      dump: () => logRejection(this.dump(), 'dump()'),
    };
  }
}

export interface ModuleExports extends Pick<ObjectTree, 'workers' | 'routers' | 'transports' | 'rtpObservers'> {
  readonly mafaldaRouters: ReadonlyMap<string, MafaldaRouter>;
  readonly closeAllMafaldaRouters: () => Promise<void>;
  readonly getResourceUsages: () => Promise<ResourceUsages>;
  readonly dump: () => Promise<MafaldaDump[]>;
}

/** Scope of all modules together, which the package's root exports. */
export const packageScope = new ModuleScope();
