/** Methods that a client may call: on the Mafalda, on its mediasoup module, on MafaldaRouters, and on objects in them. */
import { NotFoundError } from 'mediasoup/errors';
import type { WorkerSettings } from 'mediasoup/types';
import type { MafaldaRouterDump } from '../../api/dump.ts';
import type { Shape } from '../../api/shapes/shape.ts';
import type { MafaldaObjects, MafaldaRouterOptions, ResourceUsages } from '../../api/types.ts';
import {
  isRedirect,
  streamKey,
  type LeaveRequest,
  type OfferRequest,
  type PipeOffer,
  type PipeRedirect,
} from '../../piping/endpoint.ts';
import { mafaldaRouterShapes, mafaldaShapes, mediasoupShapes, shapesOf } from '../protocol/argumentShapes.ts';
import {
  mafaldaCalls,
  mafaldaRouterCalls,
  mafaldaRouterCreates,
  mafaldaRouterMemberCalls,
  mafaldaRouterPipes,
  mediasoupCalls,
  type MafaldaCall,
  type MafaldaRouterCall,
} from '../protocol/calls.ts';
import { MAFALDA_TARGET, MEDIASOUP_TARGET, type FoundMafaldaRouter, type Target } from '../protocol/messages.ts';
import type { Draining } from './draining.ts';
import type { ExportedObject, Member } from './exportedObject.ts';
import type { Holding } from './holding.ts';
import type { Memberships } from './memberships.ts';
import { OwnWorkers, type WorkerRules } from './ownWorkers.ts';
import type { ServedMafalda } from './servedMafalda.ts';
import type { TreeSender } from './treeSender.ts';

/** A method that clients may call. */
export interface Method {
  call: (...args: unknown[]) => unknown;
  /** Shapes of its arguments. */
  shapes: readonly Shape<never>[];
  /** Whether it creates objects. */
  creates: boolean;
  /**
   * Whether it begins something that another server may as well have. Pipes to and from objects that exist, and what an
   * application makes on Workers of its own, go on while a server is being drained.
   */
  beginsNew: boolean;
}

export interface MethodsContext {
  /** The session whose client calls. */
  readonly member: Member;
  readonly served: ServedMafalda;
  readonly memberships: Memberships;
  readonly treeSender: TreeSender;
  readonly rules: WorkerRules;
  readonly draining: Draining;
  /** Whether the session has ended. */
  readonly isOver: () => boolean;
}

export class Methods {
  readonly #context: MethodsContext;
  #ownWorkers: OwnWorkers | undefined;
  /** MafaldaRouters that this client itself is closing. */
  readonly closing = new Set<string>();
  readonly #mafaldaCalls: Readonly<Record<MafaldaCall, Method['call']>> = {
    createMafaldaRouter: options => this.#attach(options as MafaldaRouterOptions),
    findMafaldaRouter: (options, ask) => this.#find(options as MafaldaRouterOptions, ask === true),
    listMafaldaRouters: () => this.#context.served.list(),
    closeUnconfirmed: unconfirmed => this.#context.served.closeUnconfirmed(unconfirmed),
    getResourceUsages: () => this.#usagesOf(this.#context.served.mafalda),
    drain: () => this.#context.draining.begin(),
    undrain: () => this.#context.draining.end(),
  };
  /** Methods of a MafaldaRouter that do more, or something else, at a server. */
  readonly #servedCalls: Partial<Record<MafaldaRouterCall, (holding: Holding, argument: unknown) => unknown>> = {
    getResourceUsages: ({ attached: { mafaldaRouter } }) => this.#usagesOf(mafaldaRouter),
    dump: holding => this.#dumpOf(holding),
    attach: async ({ attached: { mafaldaRouter, tree } }) => {
      const isComplete = await mafaldaRouter.attach();
      await this.#context.treeSender.untilSent(tree);
      return isComplete;
    },
    adopt: (holding, handles) => this.#context.served.adopt(holding, handles),
    offerPipe: ({ attached }, request) => this.#offerPipe(attached, request as OfferRequest),
    leaveLinks: ({ attached }, request) => this.#leaveLinks(attached, request as LeaveRequest),
    close: ({ attached }) => {
      this.closing.add(attached.mafaldaRouter.id);
      return this.#context.served.close(attached);
    },
    leave: holding => this.#context.memberships.leave(holding),
  };

  constructor(context: MethodsContext) {
    this.#context = context;
  }

  /** The client's own Workers; undefined before it has made any. */
  get ownWorkers(): OwnWorkers | undefined {
    return this.#ownWorkers;
  }

  /**
   * Finds a method by its target and name.
   * @param exported the object that the target stands for, if it is one
   * @throws {NotFoundError} if the target is gone
   * @throws {TypeError} if the target has no such method for clients
   */
  find(target: Target, exported: ExportedObject | undefined, name: string): Method {
    const method =
      target === MAFALDA_TARGET
        ? this.#ofMafalda(name)
        : target === MEDIASOUP_TARGET
          ? this.#ofMediasoup(name)
          : typeof target === 'string'
            ? this.#ofMafaldaRouter(target, name)
            : this.#ofObject(exported, name);
    if (!method) throw new TypeError(`there is no method ${name}() that can be called from outside`);
    return method;
  }

  #ofMafalda(name: string): Method | undefined {
    if (!isOneOf(mafaldaCalls, name)) return undefined;
    return {
      call: this.#mafaldaCalls[name],
      shapes: mafaldaShapes[name],
      creates: name === 'createMafaldaRouter' || name === 'findMafaldaRouter',
      beginsNew: false,
    };
  }

  #ofMediasoup(name: string): Method | undefined {
    if (!isOneOf(mediasoupCalls, name)) return undefined;
    const { served, member, rules } = this.#context;
    const ownWorkers = (this.#ownWorkers ??= new OwnWorkers(served.mafalda, served.exports, member, rules));
    return {
      call: settings => ownWorkers.createWorker(settings as WorkerSettings),
      shapes: mediasoupShapes[name],
      creates: true,
      beginsNew: true,
    };
  }

  #ofMafaldaRouter(id: string, name: string): Method | undefined {
    const holding = this.#context.memberships.get(id);
    if (!holding) throw new NotFoundError(`MafaldaRouter with id "${id}" not found: it may be closed`);
    if (!isOneOf(mafaldaRouterCalls, name) && !isOneOf(mafaldaRouterMemberCalls, name)) return undefined;
    const { mafaldaRouter } = holding.attached;
    const own = this.#servedCalls[name];
    const beginsNew = isOneOf(mafaldaRouterCreates, name);
    return {
      call: own ? argument => own(holding, argument) : (mafaldaRouter[name].bind(mafaldaRouter) as Method['call']),
      shapes: mafaldaRouterShapes[name],
      creates: beginsNew || isOneOf(mafaldaRouterPipes, name),
      beginsNew,
    };
  }

  #ofObject(exported: ExportedObject | undefined, name: string): Method | undefined {
    if (!exported) throw new NotFoundError(`the object on which ${name}() is called has been closed`);
    const { member, served } = this.#context;
    const call = served.pipeHolds.method(member, exported.node, name) ?? exported.method(name);
    return (
      call && { call, shapes: shapesOf(exported.className, name), creates: exported.creates(name), beginsNew: false }
    );
  }

  /** @returns the number that distinguishes the MafaldaRouter from earlier and later MafaldaRouters of its id */
  async #attach(options: MafaldaRouterOptions): Promise<number> {
    const { tree, number } = this.#context.memberships.attach(options);
    await this.#context.treeSender.send(tree);
    return number;
  }

  /** Attaches the client to a MafaldaRouter if there is one, and creates nothing. */
  async #find(options: MafaldaRouterOptions, ask: boolean): Promise<FoundMafaldaRouter> {
    const { served, memberships, isOver } = this.#context;
    const { mafaldaRouter, isComplete } = await served.find(options, ask);
    if (!mafaldaRouter) return { isComplete };
    if (isOver()) {
      served.leaveIfUnused(mafaldaRouter);
      return { isComplete };
    }
    const { id, routerOptions } = mafaldaRouter;
    const number = await this.#attach(options);
    // It may have closed while its objects were sent.
    return memberships.get(id) ? { number, routerOptions, isComplete } : { isComplete };
  }

  async #offerPipe({ mafaldaRouter }: Holding['attached'], request: OfferRequest): Promise<PipeOffer | PipeRedirect> {
    const { member, served } = this.#context;
    const offer = await served.delegation.offer(mafaldaRouter, request);
    if (isRedirect(offer)) return offer;
    if (request.asleep === true) return offer;
    const { routerId, remoteRouterId, stream } = request;
    const pipes = mafaldaRouter.users.pipes(routerId, remoteRouterId, streamKey(stream));
    const offered = [...pipes].find(({ id }) => id === offer.consumer.id);
    await served.pipeHolds.offered(member, offered);
    return offer;
  }

  #leaveLinks({ mafaldaRouter, tree }: Holding['attached'], request: LeaveRequest): Promise<void> {
    const { isLast, isDead } = tree.leaveLink(this.#context.member, request);
    return mafaldaRouter.leaveLinks({
      ...request,
      isLast: isLast && request.isLast !== false,
      isDead: isDead && request.isDead !== false,
    });
  }

  async #usagesOf(objects: MafaldaObjects): Promise<ResourceUsages> {
    const { exports } = this.#context.served;
    const usages = Object.entries(await objects.getResourceUsages());
    return Object.fromEntries(usages.map(([id, usage]) => [exports.workerId(id), usage]));
  }

  async #dumpOf({ attached: { mafaldaRouter } }: Holding): Promise<MafaldaRouterDump> {
    const { exports, orphans } = this.#context.served;
    const dump = await mafaldaRouter.dump();
    return {
      ...dump,
      workers: dump.workers.map(worker => ({ ...worker, id: exports.workerId(worker.id) })),
      orphans: [...dump.orphans, ...orphans.dump(mafaldaRouter.id)],
    };
  }
}

function isOneOf<const Name extends string>(names: readonly Name[], name: string): name is Name {
  return (names as readonly string[]).includes(name);
}
