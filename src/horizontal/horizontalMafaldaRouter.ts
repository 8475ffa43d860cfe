/**
 * A MafaldaRouter that is spread over several nodes: at most a single MafaldaRouter with its id on each, joined by
 * pipes on demand.
 */
import { NotFoundError } from 'mediasoup/errors';
import * as ortc from 'mediasoup/ortc';
import type * as types from 'mediasoup/types';
import type { MafaldaRouterDump } from '../api/dump.ts';
import { logger } from '../core/logger.ts';
import { MafaldaRouterBase } from '../base/mafaldaRouterBase.ts';
import type { TreeNode } from '../core/objectTree.ts';
import type { ResolvedMafaldaRouterOptions } from '../api/mafaldaRouterOptions.ts';
import {
  type ConfirmRequest,
  type ConnectRequest,
  type LeaveRequest,
  type LinkEnd,
  type LinkRequest,
  type OfferRequest,
  type PipedStream,
  type PipeEndpoint,
  type PipeOffer,
  type PipeRedirect,
} from '../piping/endpoint.ts';
import type { PipeToMafaldaRouterOptions } from '../api/types.ts';
import { separatePlacement, type CreateMethod } from '../api/createOptions.ts';
import type { MafaldaRouter, MafaldaRouterOptions, PlacementOptional, ResourceUsages } from '../api/types.ts';
import type { PipeableMafaldaRouter } from '../base/pipeableMafaldaRouter.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { Directory } from './directory/directory.ts';
import { Holders } from './holders.ts';
import { Losses } from './lostNodes.ts';
import type { PoolRequest } from './nodeChoice.ts';
import type { NodePool } from './nodePool.ts';
import { Parts } from './parts.ts';
import type { PeerRole } from './peerRole.ts';
import { askNodes } from './askNodes.ts';
import { dumpParts } from './dumpParts.ts';
import type { Placement } from '../api/placement.ts';
import { NodePipes } from './pipes/nodePipes.ts';
import { Whereabouts } from './whereabouts.ts';

const log = logger('horizontal');

export class HorizontalMafaldaRouter extends MafaldaRouterBase implements PipeableMafaldaRouter {
  readonly #nodes: NodePool;
  readonly #options: ResolvedMafaldaRouterOptions;
  readonly #parts: Parts;
  readonly #holders: Holders;
  readonly #pipes: NodePipes;
  readonly #whereabouts = new Whereabouts(this.tree);
  /** Whether the `routerOptions` are known here, or only the id. */
  #isDefined: boolean;
  #leaving = false;
  readonly #losses: Losses;

  /**
   * @param given options that the application has given: the nodes fill in the rest
   * @param peer default: this machine is no node that others use
   */
  constructor(
    nodes: NodePool,
    directory: Pick<Directory, 'watch'>,
    options: ResolvedMafaldaRouterOptions,
    given: MafaldaRouterOptions,
    peer?: PeerRole,
  ) {
    super(options.id, true);
    this.#nodes = nodes;
    this.#options = options;
    // Of an id that was made here nobody else can know.
    this.#isDefined = given.routerOptions !== undefined || given.id === undefined;
    this.#parts = new Parts(nodes, { ...given, id: options.id }, this.tree, {
      onOptions: routerOptions => this.define(routerOptions),
      onRouter: (router, worker) => this.safeEmit('newrouter', router, worker),
      onWorkerDied: (worker, error) => this.reportWorkerDied(worker, error),
      onError: error => this.reportError(error),
      onLost: node => void (!this.closed && this.#losses.report(node)),
      onClosed: () => void this.close().catch(error => log.warn('%s: %o', options.id, error)),
    });
    this.#losses = new Losses({
      tree: this.tree,
      streams: this.streams,
      users: this.users,
      links: nodes.links,
      isOwn: object => this.#parts.isOwn(object),
      onPathLost: path => this.tellLostPath(path),
      leaveLinks: (node, request) =>
        void this.#parts
          .get(node)
          .leaveLinks(request)
          .catch(error => log.warn('%s: %o', node.id, error)),
    });
    this.#holders = new Holders({
      nodes,
      directory,
      roomId: options.id,
      isAttached: node => this.#parts.has(node),
      attach: (node, ask) => this.#parts.find(node, ask),
      onError: error => this.reportError(error),
    });
    this.#pipes = new NodePipes({
      tree: this.tree,
      streams: this.streams,
      users: this.users,
      room: options.id,
      nodes,
      parts: this.#parts,
      peer,
      meet: url => this.#holders.meet(url),
      seek: id => this.#seek(id),
      isLeaving: () => this.#leaving,
      onClosed: error => this.reportError(error),
    });
  }

  override async attach(): Promise<boolean> {
    this.assertOpen();
    return this.#holders.ask();
  }

  async adopt(objects: readonly object[]): Promise<void> {
    this.assertOpen();
    for (const { type, object } of objects.flatMap(
      each => this.tree.nodeOf(each as types.Transport) ?? [],
    ) as TreeNode[])
      if (type === 'rtpObserver') this.#pipes.markOwn(object);
    await this.#parts.adopt(objects);
  }

  /** Resolves when all nodes that are known to hold it are attached to, or don't answer in time. */
  async attached(): Promise<void> {
    await this.#holders.agree();
    await this.#holders.attached();
  }

  /** Shows the part on a node, where it exists already. */
  include(node: ClusterNode): void {
    this.#holders.use();
    this.#parts.include(node);
  }

  get routerOptions(): types.RouterOptions {
    return this.#options.routerOptions;
  }

  /** Sets the `routerOptions`. Each node decides for itself whether its part is in use already. */
  define(routerOptions: types.RouterOptions): void {
    if (this.#isDefined) return;
    this.#isDefined = true;
    this.#options.routerOptions = routerOptions;
    this.#parts.define(routerOptions);
  }

  /** Attaches to a node that has come, if the directory names it. */
  nodeAdded(node: ClusterNode): void {
    this.#holders.nodeAdded(node);
  }

  /** Attaches to a node. Must be called when it is connected, for the first time or again. */
  nodeConnected(node: ClusterNode): void {
    this.#holders.nodeConnected(node, this.#parts.mayHaveComeBack(node));
  }

  async getRtpCapabilities(): Promise<types.RtpCapabilities> {
    this.assertOpen();
    await this.#nodes.whenUsable();
    await this.#agree();
    const request = this.#request();
    // Nothing is opened on a node for what can be computed here. Foreign Mafaldas may keep their options to themselves.
    const isKnown = this.#isDefined || this.#parts.size === 0;
    const usable = this.#nodes.pickUsable(request);
    if (isKnown && usable?.connected && usable.hasOwnCapabilities)
      return ortc.generateRouterRtpCapabilities(structuredClone(this.routerOptions.mediaCodecs));
    return this.#nodes.attempt(
      tried => this.#nodes.pickUsable(request, tried),
      async node => {
        if (!node.connected) await node.open();
        return this.#parts.ask(node, part => part.getRtpCapabilities());
      },
    );
  }

  override async canConsume(options: { producerId: string; rtpCapabilities: types.RtpCapabilities }): Promise<boolean> {
    await this.#seek(options.producerId);
    return super.canConsume(options);
  }

  override async pipeToMafaldaRouter(
    options: PipeToMafaldaRouterOptions<MafaldaRouter>,
  ): Promise<types.PipeToRouterResult> {
    const id = options.producerId ?? options.dataProducerId;
    if (id) await this.#seek(id);
    return super.pipeToMafaldaRouter(options);
  }

  createWebRtcTransport<T extends types.AppData = types.AppData>(
    options: PlacementOptional<types.WebRtcTransportOptions<T>> = {},
  ): Promise<types.WebRtcTransport<T>> {
    return this.#create('createWebRtcTransport', options, (part, rest) => part.createWebRtcTransport<T>(rest));
  }

  createPlainTransport<T extends types.AppData = types.AppData>(
    options: PlacementOptional<types.PlainTransportOptions<T>> = {},
  ): Promise<types.PlainTransport<T>> {
    return this.#create('createPlainTransport', options, (part, rest) => part.createPlainTransport<T>(rest));
  }

  createPipeTransport<T extends types.AppData = types.AppData>(
    options: PlacementOptional<types.PipeTransportOptions<T>> = {},
  ): Promise<types.PipeTransport<T>> {
    return this.#create('createPipeTransport', options, (part, rest) => part.createPipeTransport<T>(rest));
  }

  createDirectTransport<T extends types.AppData = types.AppData>(
    options: PlacementOptional<types.DirectTransportOptions<T>> = {},
  ): Promise<types.DirectTransport<T>> {
    return this.#create('createDirectTransport', options, (part, rest) => part.createDirectTransport<T>(rest));
  }

  createActiveSpeakerObserver<T extends types.AppData = types.AppData>(
    options: PlacementOptional<types.ActiveSpeakerObserverOptions<T>> = {},
  ): Promise<types.ActiveSpeakerObserver<T>> {
    return this.#create('createActiveSpeakerObserver', options, (part, rest) =>
      part.createActiveSpeakerObserver<T>(rest),
    );
  }

  createAudioLevelObserver<T extends types.AppData = types.AppData>(
    options: PlacementOptional<types.AudioLevelObserverOptions<T>> = {},
  ): Promise<types.AudioLevelObserver<T>> {
    return this.#create('createAudioLevelObserver', options, (part, rest) => part.createAudioLevelObserver<T>(rest));
  }

  /** Resolves with the usages of the nodes that answer within some seconds. */
  async getResourceUsages(): Promise<ResourceUsages> {
    const parts = new Map([...this.#parts].filter(([node]) => node.connected));
    return Object.assign(
      {},
      ...(await askNodes([...parts.keys()], async node => parts.get(node)?.getResourceUsages())),
    ) as ResourceUsages;
  }

  async dump(): Promise<MafaldaRouterDump> {
    if (!this.closed) await this.#holders.attached();
    return dumpParts(new Map(this.#parts), this.#options);
  }

  async openLink(request: LinkRequest): Promise<LinkEnd> {
    return this.#endpoint(request.routerId).openLink(request);
  }

  async offerPipe(request: OfferRequest): Promise<PipeOffer | PipeRedirect> {
    return this.#endpoint(request.routerId).offerPipe(request);
  }

  async connectLink(request: ConnectRequest): Promise<void> {
    return this.#endpoint(request.routerId).connectLink(request);
  }

  async acceptPipe(request: ConnectRequest & { stream: PipedStream }): Promise<void> {
    const { kind, id } = request.stream;
    const stream = kind === 'data' ? { dataProducerId: id } : { producerId: id };
    const router = this.#routerOrThrow(request.routerId);
    return this.#pipes.accept(stream, router, () => this.#endpoint(request.routerId).acceptPipe(request));
  }

  async confirmPipes(request: ConfirmRequest): Promise<void> {
    // A closed Router has no Consumers to confirm.
    if (this.routers.has(request.routerId)) await this.#endpoint(request.routerId).confirmPipes(request);
  }

  async leaveLinks(request: LeaveRequest): Promise<void> {
    // A closed Router has no links.
    const router = this.routers.get(request.routerId);
    if (router) await this.#parts.get(this.#nodeOf(router)).leaveLinks(request);
  }

  /** Notes the losses with a node. Must be called before its objects close here, whether the node lives or not. */
  nodeLost(node: ClusterNode): void {
    if (this.closed || !this.#parts.has(node)) return;
    this.#losses.note(node, this.#parts.routersOn(node));
    this.#holders.nodeLost(node);
  }

  /** Closes this controller's objects on a node that it no longer uses. */
  async removeNode(node: ClusterNode): Promise<void> {
    await this.#parts.leave(node);
  }

  override async leave(): Promise<void> {
    this.#leaving = true;
    await this.close();
  }

  /** Ends all parts. */
  protected async release(): Promise<void> {
    this.#pipes.close();
    this.#holders.close();
    await this.#parts.end(this.#leaving ? 'leave' : 'close');
  }

  async #create<Options extends { placement?: Placement }, T extends types.Transport | types.RtpObserver>(
    method: CreateMethod,
    options: Options,
    make: (part: PipeableMafaldaRouter, rest: Omit<Options, 'placement'>) => Promise<T>,
  ): Promise<T> {
    this.assertOpen();
    const { placement, rest } = separatePlacement(method, options);
    // A controller that knows the id only learns the options before it creates anything.
    const agreement = this.#agree();
    // The failure is seen below, after the call itself.
    agreement.catch(() => undefined);
    if (!this.#isDefined) await agreement;
    const created = await this.#nodes.place(this.#request(), placement, node =>
      this.#parts.create(node, part => make(part, rest)),
    );
    try {
      await agreement;
    } catch (error) {
      created.close();
      throw error;
    }
    if ('removeProducer' in created) this.#pipes.markOwn(created);
    return created;
  }

  /**
   * Resolves when it is known what others have of the MafaldaRouter. Without `routerOptions` it is one of others, whose
   * options the nodes that have it know.
   */
  async #agree(): Promise<void> {
    await this.#holders.agree();
    if (!this.#isDefined && this.#parts.size === 0) await this.#holders.ask();
  }

  #request(): PoolRequest {
    return {
      mafaldaRouterId: this.id,
      isUsed: node => this.#parts.has(node) || this.#holders.isNamed(node),
      countNear: ids => this.#whereabouts.count(ids, router => this.#nodeOf(router)),
      assertOpen: () => this.assertOpen(),
    };
  }

  /**
   * Makes known a stream that others may have produced on any node: word of it can still be on its way here. A request
   * for an unknown stream costs a round trip.
   */
  async #seek(id: string): Promise<void> {
    if (this.closed || this.streams.first(id) || this.#pipes.isArriving(id)) return;
    let found!: () => void;
    const there = new Promise<void>(resolve => (found = resolve));
    const onAdd = (): void => void (this.streams.first(id) && found());
    this.tree.on('add', onAdd);
    await Promise.race([there, this.#holders.ask()]);
    this.tree.off('add', onAdd);
  }

  #endpoint(routerId: string): PipeEndpoint {
    return this.#parts.get(this.#nodeOf(this.#routerOrThrow(routerId)));
  }

  #routerOrThrow(routerId: string): types.Router {
    const router = this.routers.get(routerId);
    if (!router) throw new NotFoundError(`Router with id "${routerId}" not found`);
    return router;
  }

  #nodeOf(router: types.Router): ClusterNode {
    return this.#parts.nodeOf(router)!;
  }
}
