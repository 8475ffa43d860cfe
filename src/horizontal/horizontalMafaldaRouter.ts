/** A MafaldaRouter that is spread over several nodes: at most one MafaldaRouter with its id on each, joined by pipes on demand. */
import type * as types from 'mediasoup/types';
import { dumpTree, type MafaldaRouterDump } from '../shared/dump.ts';
import { logger } from '../shared/logger.ts';
import { MafaldaRouterBase } from '../shared/mafaldaRouterBase.ts';
import type { TreeNode } from '../shared/objectTree.ts';
import type { ResolvedMafaldaRouterOptions } from '../shared/options.ts';
import {
  isLinkTransport,
  linkedRouterId,
  streamKey,
  type ConnectRequest,
  type LinkEnd,
  type LinkRequest,
  type PipedStream,
  type PipeEndpoint,
  type PipeOffer,
  type StreamId,
} from '../shared/piping/endpoint.ts';
import { chooseSource } from '../shared/piping/chooseSource.ts';
import { interceptRtpObserver, interceptTransport } from '../shared/piping/intercept.ts';
import { joinEnds } from '../shared/piping/joinEnds.ts';
import { Piper } from '../shared/piping/piper.ts';
import type { AddressesOptional, MafaldaRouterOptions, PipeableMafaldaRouter, ResourceUsages } from '../shared/types.ts';
import { NotFoundError } from 'mediasoup/errors';
import type { ClusterNode } from './clusterNode.ts';
import type { NodePool, PoolRequest } from './nodePool.ts';
import type { Placement } from './placement.ts';

const log = logger('horizontal');

/** mediasoup's options, and where to create the object. */
type Placed<Options> = AddressesOptional<Options> & { placement?: Placement };

export class HorizontalMafaldaRouter extends MafaldaRouterBase implements PipeableMafaldaRouter {
  readonly #nodes: NodePool;
  readonly #options: ResolvedMafaldaRouterOptions;
  readonly #partOptions: MafaldaRouterOptions;
  readonly #parts = new Map<ClusterNode, PipeableMafaldaRouter>();
  readonly #nodeOfRouter = new WeakMap<types.Router, ClusterNode>();
  readonly #piper: Piper;

  /** @param given what the application has said: the rest is the nodes' own to fill in */
  constructor(nodes: NodePool, options: ResolvedMafaldaRouterOptions, given: MafaldaRouterOptions) {
    super(options.id, true);
    this.#nodes = nodes;
    this.#options = options;
    this.#partOptions = { ...given, id: options.id };
    this.#piper = new Piper({
      tree: this.tree,
      streams: this.streams,
      network: true,
      domainOf: router => this.#nodeOf(router).id,
      endpointOf: router => this.#part(this.#nodeOf(router)),
      chooseSource: places => chooseSource(places, router => this.#loadAsSource(this.#nodeOf(router)), nodes.watermark),
    });
    this.tree.on('add', node => this.#intercept(node)).on('add', node => this.#joinPipe(node));
  }

  async getRtpCapabilities(): Promise<types.RtpCapabilities> {
    this.assertOpen();
    return this.#part(await this.#nodes.any(this.#request())).getRtpCapabilities();
  }

  createWebRtcTransport<T extends types.AppData = types.AppData>(
    options: Placed<types.WebRtcTransportOptions<T>>,
  ): Promise<types.WebRtcTransport<T>> {
    return this.#create(options, (part, rest) => part.createWebRtcTransport<T>(rest));
  }

  createPlainTransport<T extends types.AppData = types.AppData>(
    options: Placed<types.PlainTransportOptions<T>>,
  ): Promise<types.PlainTransport<T>> {
    return this.#create(options, (part, rest) => part.createPlainTransport<T>(rest));
  }

  createPipeTransport<T extends types.AppData = types.AppData>(options: Placed<types.PipeTransportOptions<T>>): Promise<types.PipeTransport<T>> {
    return this.#create(options, (part, rest) => part.createPipeTransport<T>(rest));
  }

  createDirectTransport<T extends types.AppData = types.AppData>(
    options: types.DirectTransportOptions<T> & { placement?: Placement } = {},
  ): Promise<types.DirectTransport<T>> {
    return this.#create(options, (part, rest) => part.createDirectTransport<T>(rest));
  }

  createActiveSpeakerObserver<T extends types.AppData = types.AppData>(
    options: types.ActiveSpeakerObserverOptions<T> & { placement?: Placement } = {},
  ): Promise<types.ActiveSpeakerObserver<T>> {
    return this.#create(options, (part, rest) => part.createActiveSpeakerObserver<T>(rest));
  }

  createAudioLevelObserver<T extends types.AppData = types.AppData>(
    options: types.AudioLevelObserverOptions<T> & { placement?: Placement } = {},
  ): Promise<types.AudioLevelObserver<T>> {
    return this.#create(options, (part, rest) => part.createAudioLevelObserver<T>(rest));
  }

  async getResourceUsages(): Promise<ResourceUsages> {
    const connected = [...this.#parts].filter(([node]) => node.connected);
    const usages = await Promise.all(connected.map(([, part]) => part.getResourceUsages()));
    return Object.assign({}, ...usages) as ResourceUsages;
  }

  async dump(): Promise<MafaldaRouterDump> {
    const { id, ...options } = this.#options;
    const parts = await Promise.all([...this.#parts].map(async ([node, part]) => ({ node: node.id, dump: await this.#dumpPart(node, part) })));
    return {
      id,
      options,
      workers: parts.flatMap(({ node, dump }) => dump.workers.map(worker => ({ ...worker, node: worker.node === undefined ? node : `${node} ${worker.node}` }))),
      pipes: parts.flatMap(({ dump }) => dump.pipes),
    };
  }

  async openLink(request: LinkRequest): Promise<LinkEnd> {
    return this.#endpoint(request.routerId).openLink(request);
  }

  async offerPipe(request: LinkRequest & { stream: StreamId }): Promise<PipeOffer> {
    return this.#endpoint(request.routerId).offerPipe(request);
  }

  async connectLink(request: ConnectRequest): Promise<void> {
    return this.#endpoint(request.routerId).connectLink(request);
  }

  async acceptPipe(request: ConnectRequest & { stream: PipedStream }): Promise<void> {
    const { kind, id } = request.stream;
    const stream = kind === 'data' ? { dataProducerId: id } : { producerId: id };
    const router = this.#routerOrThrow(request.routerId);
    return this.#piper.accept(stream, this.#nodeOf(router).id, () => this.#part(this.#nodeOf(router)).acceptPipe(request));
  }

  /** The node is not ours any more: what is there closes. */
  async removeNode(node: ClusterNode): Promise<void> {
    await this.#parts.get(node)?.close();
  }

  /** A node that is not connected hears of it when it is back, which nobody waits for: it may never be. */
  protected async release(): Promise<void> {
    const closing: Promise<void>[] = [];
    for (const [node, part] of this.#parts) {
      const closed = part.close();
      if (node.connected) closing.push(closed);
      else closed.catch(error => log('%s: %o', node.id, error));
    }
    await Promise.all(closing);
  }

  async #create<Options extends { placement?: Placement }, T>(
    options: Options,
    make: (part: PipeableMafaldaRouter, rest: Omit<Options, 'placement'>) => Promise<T>,
  ): Promise<T> {
    this.assertOpen();
    const { placement, ...rest } = options;
    return this.#nodes.place(this.#request(), placement, async node => {
      this.assertOpen();
      return make(this.#part(node), rest);
    });
  }

  #request(): PoolRequest {
    return { mafaldaRouterId: this.id, isUsed: node => this.#parts.has(node), countStreams: ids => this.#countStreams(ids) };
  }

  #countStreams(ids: readonly string[]): Map<ClusterNode, number> {
    const counts = new Map<ClusterNode, number>();
    for (const id of ids) {
      const nodes = new Set(this.streams.find(id).map(({ router }) => this.#nodeOf(router)));
      for (const node of nodes) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
    return counts;
  }

  /** Nothing more should depend on a node that is being drained, if there is another way. */
  #loadAsSource({ draining, load }: ClusterNode): number {
    return draining ? Infinity : load;
  }

  /** The MafaldaRouter with our id on a node. */
  #part(node: ClusterNode): PipeableMafaldaRouter {
    const existing = this.#parts.get(node);
    if (existing) return existing;
    const part = node.mafalda.createMafaldaRouter(this.#partOptions) as PipeableMafaldaRouter;
    this.#parts.set(node, part);
    const onAdd = ({ type, object }: TreeNode): void => void (type === 'router' && this.#nodeOfRouter.set(object, node));
    for (const existing of part.tree.nodes()) onAdd(existing);
    part.tree.on('add', onAdd);
    this.tree.include(part.tree);
    node.tree.include(part.tree);
    part.on('newrouter', (router, worker) => this.safeEmit('newrouter', router, worker));
    part.on('workerdied', (worker, error) => this.reportWorkerDied(worker, error));
    part.on('error', error => this.reportError(error));
    part.once('close', () => {
      this.#parts.delete(node);
      this.tree.exclude(part.tree);
      node.tree.exclude(part.tree);
      part.tree.off('add', onAdd);
    });
    return part;
  }

  /** Of a node that can't be asked at present, what is known of it here. */
  async #dumpPart(node: ClusterNode, part: PipeableMafaldaRouter): Promise<MafaldaRouterDump> {
    try {
      if (node.connected) return await part.dump();
    } catch (error) {
      if (node.connected) throw error;
      log('%s: %o', node.id, error);
    }
    return dumpTree(part.tree, this.#options, () => 0);
  }

  #endpoint(routerId: string): PipeEndpoint {
    return this.#part(this.#nodeOf(this.#routerOrThrow(routerId)));
  }

  #routerOrThrow(routerId: string): types.Router {
    const router = this.routers.get(routerId);
    if (!router) throw new NotFoundError(`Router with id "${routerId}" not found`);
    return router;
  }

  #nodeOf(router: types.Router): ClusterNode {
    return this.#nodeOfRouter.get(router)!;
  }

  /** Whoever sees both ends of a pipe between nodes joins them: the controller that has made it may go at any time. */
  #joinPipe(node: TreeNode): void {
    const end = pipeEnd(node);
    const remote = end && this.routers.get(end.remoteRouterId);
    if (!end || !remote || this.#nodeOf(remote) === this.#nodeOf(end.router)) return;
    for (const { children } of this.tree.nodeOf<'router'>(remote)?.children ?? []) {
      for (const child of children) {
        const other = pipeEnd(child);
        if (other?.remoteRouterId !== end.router.id || other.streamId !== end.streamId) continue;
        const [consumer, producer] = [end.consumer ?? other.consumer, end.producer ?? other.producer];
        if (consumer && producer) joinEnds(consumer, producer);
      }
    }
  }

  #intercept({ type, object, parent }: TreeNode): void {
    if (parent?.type !== 'router') return;
    const find = async (stream: StreamId): Promise<string> => {
      await this.#piper.announce(stream, parent.object);
      return streamKey(stream);
    };
    const isHere = (router: types.Router): boolean => this.#nodeOf(router) === this.#nodeOf(parent.object);
    const findForConsumer = (stream: StreamId): Promise<string> => {
      this.#nodeOf(parent.object).expectConsumer();
      return find(stream);
    };
    if (type === 'transport' && !isLinkTransport(object)) interceptTransport(object, this.streams, findForConsumer, isHere);
    if (type === 'rtpObserver') interceptRtpObserver(object, find);
  }
}

interface PipeEnd {
  router: types.Router;
  remoteRouterId: string;
  streamId: string;
  consumer?: types.Consumer | types.DataConsumer;
  producer?: types.Producer | types.DataProducer;
}

/** What a stream's node is in a link; undefined for whatever isn't. */
function pipeEnd({ type, object, parent }: TreeNode): PipeEnd | undefined {
  const remoteRouterId = parent?.type === 'transport' ? linkedRouterId(parent.object) : undefined;
  if (remoteRouterId === undefined || parent?.parent?.type !== 'router') return undefined;
  const where = { router: parent.parent.object, remoteRouterId };
  if (type === 'consumer') return { ...where, streamId: object.producerId, consumer: object };
  if (type === 'dataConsumer') return { ...where, streamId: object.dataProducerId, consumer: object };
  if (type === 'producer' || type === 'dataProducer') return { ...where, streamId: object.id, producer: object };
  return undefined;
}
