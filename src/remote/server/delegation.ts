/** Pipes out of this machine: a server with a limit for them sends askers of streams on. */
import type { MafaldaApi } from '../../api/types.ts';
import type { PipeableMafaldaRouter } from '../../base/pipeableMafaldaRouter.ts';
import { Delegator } from '../../piping/delegation/delegator.ts';
import type { OfferRequest, PipeOffer, PipeRedirect } from '../../piping/endpoint.ts';

export interface DelegationOptions {
  /** Number of pipes of a stream that lead to other machines before askers are sent on; undefined for any number. */
  fanOut?: number | undefined;
  /** Load, in percent, from which on askers are sent on. */
  watermarkFanOut: number;
}

export class Delegation {
  readonly #mafalda: MafaldaApi;
  readonly #options: DelegationOptions;
  readonly #delegators = new WeakMap<PipeableMafaldaRouter, Delegator>();

  constructor(mafalda: MafaldaApi, options: DelegationOptions) {
    this.#mafalda = mafalda;
    this.#options = options;
  }

  /** Lets a stream into a link, or sends the asker on. */
  async offer(mafaldaRouter: PipeableMafaldaRouter, request: OfferRequest): Promise<PipeOffer | PipeRedirect> {
    const delegator = this.#delegatorOf(mafaldaRouter);
    if (!delegator) return mafaldaRouter.offerPipe(request);
    return delegator.offer(request, served => mafaldaRouter.offerPipe(served));
  }

  #delegatorOf(mafaldaRouter: PipeableMafaldaRouter): Delegator | undefined {
    const { fanOut, watermarkFanOut: watermark } = this.#options;
    if (fanOut === undefined) return undefined;
    const known = this.#delegators.get(mafaldaRouter);
    if (known) return known;
    const { tree, streams } = mafaldaRouter;
    const delegator = new Delegator({ tree, streams, fanOut, watermark, load: () => this.#mafalda.load });
    this.#delegators.set(mafaldaRouter, delegator);
    return delegator;
  }
}
