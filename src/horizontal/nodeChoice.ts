/** Choice of the node that is used next, by the present state of the nodes. */
import { randomInt } from 'node:crypto';
import type { Placement } from '../api/placement.ts';
import type { PlacementReason } from '../api/statistics.ts';
import type { NodeState, Strategy } from '../placement/strategies.ts';
import type { Tried } from './attempts.ts';
import type { ClusterNode } from './clusterNode.ts';

/** Request for a node: the MafaldaRouter for which it is chosen. */
export interface PoolRequest {
  readonly mafaldaRouterId: string;
  readonly isUsed: (node: ClusterNode) => boolean;
  /** Returns the number of these objects on each node; nodes without any may be missing. */
  readonly countNear: (ids: readonly string[]) => ReadonlyMap<ClusterNode, number>;
  /** Throws if nothing may be created any more. */
  readonly assertOpen: () => void;
}

/** Node that was chosen, and the reason. */
interface Choice {
  readonly node: ClusterNode;
  readonly reason: PlacementReason;
}

const none: Tried = new Map();

export class NodeChoice {
  strategy: Strategy;
  readonly watermark: number;
  readonly #nodes: () => Iterable<ClusterNode>;
  /**
   * Seed for strategies. The first seed is random, so that several controllers don't make the same choices at the same
   * time.
   */
  #seed = randomInt(2 ** 32);

  /** @param nodes returns all nodes */
  constructor(nodes: () => Iterable<ClusterNode>, strategy: Strategy, watermark: number) {
    this.#nodes = nodes;
    this.strategy = strategy;
    this.watermark = watermark;
  }

  /** Whether a node below the watermark takes new objects. */
  get hasRoom(): boolean {
    return this.#candidates(none).some(({ load, full }) => load < this.watermark && !full);
  }

  /** Whether a node takes new objects. */
  get hasCandidates(): boolean {
    return this.#candidates(none).length > 0;
  }

  /** Returns a node that can answer a question: rather a node that is connected, in use already, and will be. */
  pickUsable({ isUsed }: Pick<PoolRequest, 'isUsed'>, tried: Tried = none): ClusterNode | undefined {
    const rank = (node: ClusterNode): number =>
      Number(node.rest.resting) * 4 + Number(!node.takesNew) * 2 + Number(!isUsed(node));
    const usable = [...this.#nodes()].filter(node => node.isUsable && !tried.has(node));
    const connected = smallest(
      usable.filter(node => node.connected),
      rank,
    );
    // Controllers that all asked the first node of a directory would overload it.
    return connected ?? usable[randomInt(Math.max(1, usable.length))];
  }

  /** Returns the node with the smallest figure, of the nodes that take new objects. */
  emptiest(figure: (node: ClusterNode) => number, tried: Tried = none): ClusterNode | undefined {
    return smallest(this.#candidates(tried), figure);
  }

  /**
   * Returns the node that the strategy chooses; undefined if none takes new objects.
   * @throws {TypeError} if the strategy returns something else
   */
  byStrategy(
    { mafaldaRouterId, isUsed, countNear }: PoolRequest,
    { region: wantedRegion, near }: Placement,
    tried: Tried = none,
  ): Choice | undefined {
    const streams = near && countNear(near);
    const candidates = this.#candidates(tried);
    if (candidates.length === 0) return undefined;
    const states: NodeState[] = candidates.map(node => {
      const { id, load, placed, region, labels, local } = node;
      return { id, load, placed, hasRouter: isUsed(node), region, labels, local, near: streams?.get(node) ?? 0 };
    });
    this.#seed = (this.#seed + 1) % 2 ** 32;
    const choice = this.strategy(states, {
      mafaldaRouterId,
      watermark: this.watermark,
      region: wantedRegion,
      near,
      seed: this.#seed,
    });
    const node = choice && candidates[states.indexOf(choice)];
    if (!node) throw new TypeError('the strategy must return one of its candidates');
    return { node, reason: this.#reasonFor(choice, wantedRegion, tried) };
  }

  /**
   * Returns the nodes that take new objects; resting nodes only if there are no others, and full nodes only if nothing
   * else was tried: a call that finds all full asks a single node whether it still is.
   */
  #candidates(tried: Tried): ClusterNode[] {
    // The arrays are filled in a single pass: there may be a thousand nodes, for each decision.
    const candidates: ClusterNode[] = [];
    const resting: ClusterNode[] = [];
    const full: ClusterNode[] = [];
    for (const node of this.#nodes()) {
      if (!node.isUsable || !node.takesNew || tried.has(node)) continue;
      (node.rest.resting ? resting : node.full ? full : candidates).push(node);
    }
    if (candidates.length > 0) return candidates;
    return resting.length > 0 || tried.size > 0 ? resting : full;
  }

  #reasonFor(
    { load, near, region, hasRouter }: NodeState,
    wantedRegion: string | undefined,
    tried: Tried,
  ): PlacementReason {
    if (tried.size > 0) return 'retried';
    if (load >= this.watermark) return 'full';
    if (near) return 'near';
    if (wantedRegion !== undefined && region === wantedRegion) return 'region';
    return hasRouter ? 'used' : 'further';
  }
}

/** Returns the first of the nodes with the smallest figure. */
function smallest(nodes: ClusterNode[], figure: (node: ClusterNode) => number): ClusterNode | undefined {
  let best: ClusterNode | undefined;
  for (const node of nodes) if (!best || figure(node) < figure(best)) best = node;
  return best;
}
