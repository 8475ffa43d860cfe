import type { Router, Transport } from 'mediasoup/types';
import { RemoteMafaldaClient, type RemoteMafaldaClientOptions } from '../remote/client/index.ts';
import type { MafaldaDump } from '../shared/dump.ts';
import { logger } from '../shared/logger.ts';
import { MafaldaBase } from '../shared/mafaldaBase.ts';
import { ModuleScope, packageScope } from '../shared/moduleScope.ts';
import { refuseUnknown, type ResolvedMafaldaRouterOptions } from '../shared/options.ts';
import type { MafaldaApi, MafaldaEvents, MafaldaRouterOptions, ResourceUsages } from '../shared/types.ts';
import { HorizontalMafaldaRouter } from './horizontalMafaldaRouter.ts';
import { NodePool } from './nodePool.ts';
import { concentrate, type Strategy } from './strategies.ts';

const log = logger('horizontal');

export const scope = new ModuleScope(packageScope);

const DEFAULT_WATERMARK = 66;

export interface MafaldaHorizontalOptions extends RemoteMafaldaClientOptions {
  /** How a node is chosen; default {@link concentrate}. Can be replaced while running. */
  strategy?: Strategy;
  /** Load percentage above which a node gets nothing new while another has room; default 66. */
  watermarkNode?: number;
}

const knownOptions: Record<keyof MafaldaHorizontalOptions, true> = { token: true, path: true, ca: true, strategy: true, watermarkNode: true };

export type MafaldaHorizontalEvents = MafaldaEvents & {
  /** Every node has answered, or can't be reached at present. */
  connected: [];
  nodeconnected: [node: MafaldaApi];
  nodedisconnected: [node: MafaldaApi, reason: string];
  nodeload: [node: MafaldaApi, load: number];
};

/** Many Mafaldas as one, remote or local: a Set of nodes with the API of each of them. */
export class MafaldaHorizontal extends MafaldaBase<HorizontalMafaldaRouter, MafaldaHorizontalEvents> implements Iterable<MafaldaApi> {
  readonly #nodes: NodePool;
  readonly #clientOptions: RemoteMafaldaClientOptions;

  /**
   * @param nodes URLs of RemoteMafaldaServers, or objects with the Mafalda API
   * @throws {TypeError} for a URL or an option that can't be used
   */
  constructor(nodes: Iterable<string | MafaldaApi> = [], options: MafaldaHorizontalOptions = {}) {
    super(scope);
    refuseUnknown('MafaldaHorizontal', options, Object.keys(knownOptions));
    const { strategy = concentrate, watermarkNode = DEFAULT_WATERMARK, ...clientOptions } = options;
    if (typeof strategy !== 'function') throw new TypeError('if given, strategy must be a function');
    if (typeof watermarkNode !== 'number' || !(watermarkNode >= 0)) throw new TypeError('if given, watermarkNode must be a percentage, 0 or more');
    this.#clientOptions = clientOptions;
    this.#nodes = new NodePool(strategy, watermarkNode);
    this.#nodes.on('connected', node => {
      for (const mafaldaRouter of this.mafaldaRouters.values()) mafaldaRouter.nodeCame(node);
      this.safeEmit('nodeconnected', node.mafalda);
    });
    this.#nodes.on('disconnected', ({ mafalda }, reason) => this.safeEmit('nodedisconnected', mafalda, reason));
    this.#nodes.on('load', ({ mafalda }, load) => this.safeEmit('nodeload', mafalda, load));
    this.#nodes.on('error', error => this.reportError(error));
    this.#nodes.on('settled', () => this.safeEmit('connected'));
    try {
      for (const node of nodes) this.add(node);
    } catch (error) {
      // There is nobody who could close the clients of the nodes before the one that can't be used.
      for (const { owned, mafalda } of this.#nodes) if (owned) mafalda.close().catch(closing => log('%o', closing));
      throw error;
    }
    // Whoever waits for `connected` must not wait in vain where nothing has to be waited for.
    if (this.#nodes.settled) setImmediate(() => this.safeEmit('connected'));
  }

  get strategy(): Strategy {
    return this.#nodes.strategy;
  }

  set strategy(strategy: Strategy) {
    if (typeof strategy !== 'function') throw new TypeError('strategy must be a function');
    this.#nodes.strategy = strategy;
  }

  /** Mean of the nodes. */
  get load(): number {
    const loads = [...this.#nodes].map(({ load }) => load);
    return loads.length === 0 ? 0 : loads.reduce((sum, load) => sum + load) / loads.length;
  }

  /** How many nodes there are. */
  get size(): number {
    return this.#nodes.size;
  }

  *[Symbol.iterator](): IterableIterator<MafaldaApi> {
    for (const { mafalda } of this.#nodes) yield mafalda;
  }

  has(node: string | MafaldaApi): boolean {
    return this.#nodes.find(node) !== undefined;
  }

  /** It is used from the next Transport on. A node that is there already is not added again. */
  add(node: string | MafaldaApi): this {
    if (this.closed) throw new Error('this MafaldaHorizontal is closed');
    if (this.has(node)) return this;
    if (typeof node !== 'string' && typeof node?.createMafaldaRouter !== 'function') {
      throw new TypeError('a node must be a URL, or an object with the API of a Mafalda');
    }
    if (typeof node === 'string') this.#nodes.add(new RemoteMafaldaClient(node, this.#clientOptions), true);
    else this.#nodes.add(node, false);
    const added = this.#nodes.find(node);
    // One that is there already has no `connected` to come.
    if (added?.connected) for (const mafaldaRouter of this.mafaldaRouters.values()) mafaldaRouter.nodeCame(added);
    return this;
  }

  /** What we have made on the node closes. @returns whether it was one of ours */
  delete(node: string | MafaldaApi): boolean {
    const found = this.#nodes.find(node);
    if (!found) return false;
    this.#nodes.delete(found);
    for (const mafaldaRouter of this.mafaldaRouters.values()) {
      mafaldaRouter.removeNode(found).catch(error => log('%s: %o', found.id, error));
    }
    if (found.owned) found.mafalda.close().catch(error => log('%s: %o', found.id, error));
    return true;
  }

  /** The node on which a Transport or a Router of ours is; undefined if it is closed. */
  nodeOf(object: Transport | Router): MafaldaApi | undefined {
    for (const mafaldaRouter of this.mafaldaRouters.values()) {
      const node = mafaldaRouter.nodeOf(object);
      if (node) return node.mafalda;
    }
    return undefined;
  }

  async getResourceUsages(): Promise<ResourceUsages> {
    const usages = await Promise.all([...this.#nodes].filter(({ connected }) => connected).map(({ mafalda }) => mafalda.getResourceUsages()));
    return Object.assign({}, ...usages) as ResourceUsages;
  }

  override async dump(): Promise<MafaldaDump> {
    const nodes = [...this.#nodes].map(({ id, connected, load }) => ({ id, connected, load }));
    return { ...(await super.dump()), nodes };
  }

  protected makeMafaldaRouter(options: ResolvedMafaldaRouterOptions, given: MafaldaRouterOptions): HorizontalMafaldaRouter {
    return new HorizontalMafaldaRouter(this.#nodes, options, given);
  }

  protected async release(): Promise<void> {
    const nodes = [...this.#nodes];
    // To close the MafaldaRouters would close them for everybody.
    const leaving = [...this.mafaldaRouters.values()].map(mafaldaRouter => mafaldaRouter.leave());
    const left = Promise.all(leaving).catch(error => log('%o', error));
    // A node that does not answer is not waited for: then nor is its answer.
    await Promise.all(nodes.filter(({ owned }) => owned).map(({ mafalda }) => mafalda.close()));
    await left;
    for (const node of nodes) this.#nodes.delete(node);
  }
}
