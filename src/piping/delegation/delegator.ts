/** The part of the place that is asked: serves an asker, or sends it on, by the policy. */
import { LimitError } from '../../api/errors.ts';
import { logger } from '../../core/logger.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { within } from '../../core/within.ts';
import { streamKey, type Asker, type OfferRequest, type PipeOffer, type PipeRedirect } from '../endpoint.ts';
import type { Streams } from '../streams.ts';
import { Branches } from './branches.ts';
import { decide, MAX_SHARES } from './policy.ts';
import { pathOf } from './paths.ts';

const log = logger('delegation');

/** Time for which an asker that was sent here waits for the stream, in ms: it may just be coming. */
const ARRIVAL_TIMEOUT_MS = 2000;

export interface DelegatorOptions {
  /** Tree of the MafaldaRouter, whose Routers are all on this machine. */
  tree: ObjectTree;
  /** Streams of the same tree. */
  streams: Streams;
  /** Number of pipes of a stream that lead to other machines before askers are sent on. */
  fanOut: number;
  /** Load, in percent, below which this machine has room. */
  watermark: number;
  /** Returns the load of this machine, in percent. */
  load: () => number;
}

/** Serves the askers of a MafaldaRouter's streams, or sends them on. */
export class Delegator {
  readonly #options: DelegatorOptions;
  readonly #branches: Branches;

  constructor(options: DelegatorOptions) {
    this.#options = options;
    this.#branches = new Branches(options.tree);
  }

  /**
   * @param offer makes the pipe
   * @throws {LimitError} if there is no more room for askers that can't be sent on
   */
  async offer<T extends PipeOffer | PipeRedirect>(
    { asker: given, ...request }: OfferRequest,
    offer: (request: OfferRequest) => Promise<T>,
  ): Promise<T | PipeRedirect> {
    const id = streamKey(request.stream);
    const asker = given && completed(given);
    if (asker && asker.asked.length > 0) await this.#arrival(id, request.routerId);
    if (!this.#branches.has(id, request.remoteRouterId)) {
      if (!asker) this.#assertLimit(id);
      const redirect = asker && this.#decide(id, request, asker);
      if (redirect) return redirect;
    }
    const release = this.#branches.reserve(id, request.remoteRouterId, asker ?? {});
    try {
      return await offer(request);
    } finally {
      release();
    }
  }

  /** Keeps an asker that can't be sent on from what an asker that says `must` does not get either. */
  #assertLimit(id: string): void {
    const max = MAX_SHARES * this.#options.fanOut;
    if (this.#branches.of(id).length < max) return;
    throw new LimitError(`the stream "${id}" leaves this machine in ${max} pipes already`, { limit: 'fanOut', max });
  }

  /** Decides by the present state. Nothing must be awaited between this and the reservation. */
  #decide(id: string, { routerId, remoteRouterId }: OfferRequest, asker: Asker): PipeRedirect | undefined {
    const { tree, fanOut, watermark, load } = this.#options;
    const router = tree.routers.get(routerId);
    // A Router that is gone can't serve the stream, which the offer tells.
    if (!router) return undefined;
    const branches = this.#branches.of(id);
    const serving = { path: pathOf(router, id), load: load(), watermark, pipes: branches.length, fanOut, branches };
    const redirect = decide(serving, { ...asker, routers: [...asker.routers, remoteRouterId] });
    if (!redirect) return undefined;
    const [next] = redirect.candidates;
    if (next) this.#branches.noteSent(id, next.routerId);
    const names = redirect.candidates.map(candidate => candidate.routerId).join(', ');
    log('stream %s: router %s is sent on to %s', id, remoteRouterId, names || 'nobody');
    return { redirect };
  }

  /** Resolves when the stream is in the Router, or does not come in time. */
  async #arrival(id: string, routerId: string): Promise<void> {
    const { tree, streams } = this.#options;
    const router = tree.routers.get(routerId);
    if (!router || streams.inRouter(id, router)) return;
    let arrive!: () => void;
    const arrived = new Promise<void>(resolve => (arrive = resolve));
    const onAdd = (node: TreeNode): void => void (node.id === id && streams.inRouter(id, router) && arrive());
    tree.on('add', onAdd);
    await within(arrived, ARRIVAL_TIMEOUT_MS);
    tree.off('add', onAdd);
  }
}

/** Returns the asker without what a wire has left out, or has told and can't be. */
function completed({ routers, asked, must, url, load }: Partial<Asker>): Asker {
  return {
    routers: routers ?? [],
    asked: asked ?? [],
    must: must === true,
    url: url ?? undefined,
    load: load !== undefined && load >= 0 ? load : 0,
  };
}
