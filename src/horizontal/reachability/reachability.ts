/**
 * Watches whether nodes reach each other for media. If an end of a link gets nothing while the other end sends, all
 * links between these two nodes close, so that streams are consumed another way; probes then find out when it has
 * healed.
 */
import { logger } from '../../core/logger.ts';
import type { ClusterNode } from '../clusterNode.ts';
import { Flow } from './flow.ts';
import { bytesOf, isSending, type LinkTable, type NodeLinkEnd } from './linkTable.ts';

const log = logger('reachability');

const INTERVAL_MS = 1000;
/** Maximum number of links that are sampled between two nodes: a few represent all. */
const MAX_LINKS_PER_PAIR = 2;
/** Maximum number of pairs of nodes that are sampled at once; if there are more, they take turns. */
const MAX_PAIRS = 50;

const FIRST_PROBE_MS = 1000;
const PROBE_GROWTH = 1.5;
const MAX_PROBE_MS = 10_000;

type End = NodeLinkEnd<ClusterNode>;
type Link = readonly [End, End];

/** Direction in which no packets arrive. The opposite direction is not used either, since each needs the other. */
export interface DownLink {
  readonly from: ClusterNode;
  readonly to: ClusterNode;
}

interface Down extends DownLink {
  readonly ending: AbortController;
  timer?: NodeJS.Timeout;
}

export interface ReachabilityOptions {
  links: Pick<LinkTable<ClusterNode>, 'onAdd' | 'size' | 'pairs'>;
  probe: (from: ClusterNode, to: ClusterNode, signal: AbortSignal) => Promise<boolean>;
  onDown: (link: DownLink) => void;
  onUp: (link: DownLink) => void;
}

export class Reachability {
  readonly #options: ReachabilityOptions;
  readonly #down = new Map<string, Down>();
  readonly #flows = new WeakMap<End, Flow>();
  #timer: NodeJS.Timeout | undefined;
  #isSampling = false;
  #turn = 0;

  constructor(options: ReachabilityOptions) {
    this.#options = options;
    // Sampling begins with the first link: without links there is nothing to watch.
    options.links.onAdd = () => (this.#timer ??= setInterval(() => void this.sample(), INTERVAL_MS).unref());
  }

  /** Links that are down. */
  get down(): readonly DownLink[] {
    return [...this.#down.values()];
  }

  isDown(one: ClusterNode, other: ClusterNode): boolean {
    return this.#down.size > 0 && this.#down.has(keyOf(one, other));
  }

  /** Forgets a node that is no longer used. */
  forget(node: ClusterNode): void {
    for (const [key, down] of this.#down) if (down.from === node || down.to === node) this.#end(key, down);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#options.links.onAdd = undefined;
    for (const [key, down] of this.#down) this.#end(key, down);
  }

  /** Samples the bytes that have gone through the links. */
  async sample(): Promise<void> {
    if (this.#options.links.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    // A sample whose answers are late is finished before the next begins.
    if (this.#isSampling) return;
    this.#isSampling = true;
    await Promise.all(this.#chosen().map(link => this.#observe(link)));
    this.#isSampling = false;
  }

  #chosen(): Link[] {
    const byPair = new Map<string, Link[]>();
    for (const link of this.#options.links.pairs()) {
      const [{ node }, { node: other }] = link;
      if (!isAskable(node) || !isAskable(other) || this.isDown(node, other)) continue;
      if (!this.#isTelling(link)) continue;
      const key = keyOf(node, other);
      const links = byPair.get(key);
      if (!links) byPair.set(key, [link]);
      else if (links.length < MAX_LINKS_PER_PAIR) links.push(link);
      // A new link shows soonest that packets don't arrive.
      else if (isNew(link) && !isNew(links[0]!)) links[0] = link;
    }
    const pairs = [...byPair.values()];
    const first = pairs.length > MAX_PAIRS ? (this.#turn += MAX_PAIRS) % pairs.length : 0;
    return [...pairs.slice(first), ...pairs.slice(0, first)].slice(0, MAX_PAIRS).flat();
  }

  #isTelling(link: Link): boolean {
    return isNew(link) || link.some(isSending);
  }

  async #observe([near, far]: Link): Promise<void> {
    const flow = this.#flows.get(near) ?? new Flow();
    this.#flows.set(near, flow);
    try {
      const stuck = flow.observe(...(await Promise.all([bytesOf(near.transport), bytesOf(far.transport)])));
      if (!stuck || near.transport.closed || far.transport.closed) return;
      const [from, to] = stuck === 'there' ? [near.node, far.node] : [far.node, near.node];
      if (!this.isDown(from, to)) this.#goesDown(from, to);
    } catch (error) {
      log.warn('the link between %s and %s could not be looked at: %o', near.node.id, far.node.id, error);
    }
  }

  #goesDown(from: ClusterNode, to: ClusterNode): void {
    log.warn('what %s sends does not arrive at %s', from.id, to.id);
    const down: Down = { from, to, ending: new AbortController() };
    this.#down.set(keyOf(from, to), down);
    this.#options.onDown({ from, to });
    const between = [...this.#options.links.pairs()].filter(
      ([{ node }, { node: other }]) => keyOf(node, other) === keyOf(from, to),
    );
    for (const link of between) for (const { transport } of link) transport.close();
    this.#probeLater(down, FIRST_PROBE_MS);
  }

  #probeLater(down: Down, delay: number): void {
    down.timer = setTimeout(() => void this.#probe(down, Math.min(MAX_PROBE_MS, delay * PROBE_GROWTH)), delay).unref();
  }

  async #probe(down: Down, nextDelay: number): Promise<void> {
    const { from, to, ending } = down;
    const isUp = isAskable(from) && isAskable(to) && (await this.#options.probe(from, to, ending.signal));
    if (ending.signal.aborted) return;
    if (!isUp) return this.#probeLater(down, nextDelay);
    log('%s and %s reach each other again', from.id, to.id);
    this.#end(keyOf(from, to), down);
    this.#options.onUp({ from, to });
  }

  #end(key: string, { ending, timer }: Down): void {
    clearTimeout(timer);
    ending.abort();
    this.#down.delete(key);
  }
}

/**
 * Returns whether the link is new. A link for messages makes its SCTP association when it is connected, whether any
 * stream flows or not.
 */
function isNew(link: Link): boolean {
  return link.some(
    ({ transport: { sctpParameters, sctpState } }) => sctpParameters !== undefined && sctpState !== 'connected',
  );
}

function isAskable({ connected, unreachable, lost }: ClusterNode): boolean {
  return connected && !unreachable && !lost;
}

/** Returns the same key for both directions. */
function keyOf(one: ClusterNode, other: ClusterNode): string {
  return one.id < other.id ? `${one.id} ${other.id}` : `${other.id} ${one.id}`;
}
