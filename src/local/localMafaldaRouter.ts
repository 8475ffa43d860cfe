/**
 * A MafaldaRouter whose Routers live on Workers of this machine: at most a single Router on each, joined by pipes on
 * demand.
 */
import * as ortc from 'mediasoup/ortc';
import type * as types from 'mediasoup/types';
import { separatePlacement, type CreateMethod } from '../api/createOptions.ts';
import type { Placement } from '../api/placement.ts';
import type { Addresses, AddressedMethod } from '../core/addresses/addresses.ts';
import { dumpTree } from '../base/dumpTree.ts';
import type { MafaldaRouterDump } from '../api/dump.ts';
import { MafaldaRouterBase } from '../base/mafaldaRouterBase.ts';
import { keepCopy, readingUncopied } from '../core/copies.ts';
import type { Closable } from '../core/onceClosed.ts';
import { ObjectTree, type TreeNode } from '../core/objectTree.ts';
import { turns } from '../core/turns.ts';
import { noteProducedAt } from '../core/producedAt.ts';
import type { ResolvedMafaldaRouterOptions } from '../api/mafaldaRouterOptions.ts';
import {
  isLinkTransport,
  streamKey,
  type ConfirmRequest,
  type ConnectRequest,
  type LeaveRequest,
  type LinkEnd,
  type LinkRequest,
  type OfferRequest,
  type PipedStream,
  type PipeOffer,
} from '../piping/endpoint.ts';
import { PipeFlow } from '../piping/flow/pipeFlow.ts';
import { interceptClose, interceptRtpObserver, interceptTransport, type StreamAccess } from '../piping/intercept.ts';
import { showOrigins } from '../piping/showOrigins.ts';
import { setFamilies } from '../core/addresses/families.ts';
import { reportLostMessages } from '../piping/lostMessages.ts';
import { Piper } from '../piping/piper.ts';
import { chooseSource } from '../piping/chooseSource.ts';
import type { PipeableMafaldaRouter } from '../base/pipeableMafaldaRouter.ts';
import type { ResourceUsages } from '../api/types.ts';
import { Aliases } from './aliases.ts';
import { interceptIds } from './interceptIds.ts';
import { usagesOf } from './usagesOf.ts';
import { checks, givesAddresses } from './checkOptions.ts';
import { IdlePipes } from '../piping/links/idlePipes.ts';
import { LeftLinks } from '../piping/links/leftLinks.ts';
import { Places } from './places.ts';
import { RouterLinks } from '../piping/links/routerLinks.ts';
import type { WorkerPool } from './workerPool.ts';

export class LocalMafaldaRouter extends MafaldaRouterBase implements PipeableMafaldaRouter {
  readonly #pool: WorkerPool;
  readonly #addresses: Addresses;
  readonly #options: ResolvedMafaldaRouterOptions;
  readonly #places: Places;
  readonly #aliases: Aliases;
  readonly #links: RouterLinks;
  readonly #piper: Piper;
  readonly #leftLinks = new LeftLinks(this.tree, this.users);
  readonly #idlePipes: IdlePipes;
  readonly #flow: PipeFlow;

  /** @param idlePipeTimeout time after which an unused pipe closes, in ms */
  constructor(pool: WorkerPool, addresses: Addresses, options: ResolvedMafaldaRouterOptions, idlePipeTimeout: number) {
    const aliases = new Aliases();
    super(options.id, false, new ObjectTree(id => aliases.publicIdOf(id)));
    this.#pool = pool;
    this.#addresses = addresses;
    this.#options = options;
    this.#aliases = aliases;
    this.#piper = new Piper({
      tree: this.tree,
      streams: this.streams,
      network: false,
      room: options.id,
      decisions: pool.pipes,
      domainOf: router => router.id,
      endpointOf: () => this.#links,
      startsAsleep: (streamId, destination) => this.#flow.startsAsleep(streamId, destination),
      chooseSource: places =>
        chooseSource(places, { loadOf: router => this.#places.loadOf(router), watermark: options.watermarkWorker }),
    });
    this.#places = new Places(pool, options, this.tree, {
      onRouter: (router, worker) => {
        if (addresses.pipeFamilies) setFamilies(router, addresses.pipeFamilies);
        this.tree.addRouter(router, worker, String(worker.pid));
        this.safeEmit('newrouter', router, worker);
      },
      onWorkerDied: (worker, error) => this.reportWorkerDied(worker, error),
    });
    this.tree.on('add', node => this.#intercept(node));
    reportLostMessages({ tree: this.tree, streams: this.streams, users: this.users, concerns: () => true });
    // The idle pipes come after the interceptors, since they read the ids that objects show.
    this.#idlePipes = new IdlePipes(this.tree, idlePipeTimeout);
    this.#links = new RouterLinks(this.tree.routers, this.streams, aliases, this.#idlePipes);
    this.#flow = new PipeFlow({ tree: this.tree, streams: this.streams, domainOf: router => router.id, alone: true });
  }

  get routerOptions(): types.RouterOptions {
    return this.#options.routerOptions;
  }

  define(routerOptions: types.RouterOptions): void {
    if (this.#places.workers.length === 0) this.#options.routerOptions = routerOptions;
  }

  /** Does nothing: objects of this process have no owner but its application. */
  async adopt(): Promise<void> {
    this.assertOpen();
  }

  /** Computes the capabilities from the media codecs, as mediasoup's Router would, without a Router. */
  async getRtpCapabilities(): Promise<types.RtpCapabilities> {
    this.assertOpen();
    return ortc.generateRouterRtpCapabilities(structuredClone(this.#options.routerOptions.mediaCodecs));
  }

  createWebRtcTransport: PipeableMafaldaRouter['createWebRtcTransport'] = async given => {
    const options = this.#settle('createWebRtcTransport', given);
    const { webRtcServerOptions } = this.#pool;
    if (!webRtcServerOptions || givesAddresses(options)) {
      return this.#create('createWebRtcTransport', options, router =>
        router.createWebRtcTransport(options as types.WebRtcTransportOptions<never>),
      );
    }
    this.#check('createWebRtcTransport', { ...options, webRtcServer: webRtcServerOptions });
    return this.#places.createWithWebRtcServer(webRtcServerOptions, (router, webRtcServer) =>
      router.createWebRtcTransport({ ...options, webRtcServer }),
    );
  };

  createPlainTransport: PipeableMafaldaRouter['createPlainTransport'] = async given => {
    const options = this.#settle('createPlainTransport', given);
    return this.#create('createPlainTransport', options, router =>
      router.createPlainTransport(options as types.PlainTransportOptions<never>),
    );
  };

  createPipeTransport: PipeableMafaldaRouter['createPipeTransport'] = async given => {
    const options = this.#settle('createPipeTransport', given);
    return this.#create('createPipeTransport', options, router =>
      router.createPipeTransport(options as types.PipeTransportOptions<never>),
    );
  };

  createDirectTransport: PipeableMafaldaRouter['createDirectTransport'] = async given => {
    const { rest } = separatePlacement('createDirectTransport', given ?? {});
    return this.#create('createDirectTransport', rest, router => router.createDirectTransport(rest));
  };

  createActiveSpeakerObserver: PipeableMafaldaRouter['createActiveSpeakerObserver'] = async given => {
    const { rest } = separatePlacement('createActiveSpeakerObserver', given ?? {});
    return this.#create('createActiveSpeakerObserver', rest, router => router.createActiveSpeakerObserver(rest));
  };

  createAudioLevelObserver: PipeableMafaldaRouter['createAudioLevelObserver'] = async given => {
    const { rest } = separatePlacement('createAudioLevelObserver', given ?? {});
    return this.#create('createAudioLevelObserver', rest, router => router.createAudioLevelObserver(rest));
  };

  async getResourceUsages(): Promise<ResourceUsages> {
    return usagesOf(this.#places.workers);
  }

  async dump(): Promise<MafaldaRouterDump> {
    return dumpTree(this.tree, this.#options, id => this.#places.loadOfWorker(id));
  }

  openLink(request: LinkRequest): Promise<LinkEnd> {
    return this.#links.openLink(this.#addresses.completeOptions('openLink', request));
  }

  offerPipe(request: OfferRequest): Promise<PipeOffer> {
    return this.#links.offerPipe(this.#addresses.completeOptions('offerPipe', request));
  }

  connectLink(request: ConnectRequest): Promise<void> {
    return this.#links.connectLink(request);
  }

  acceptPipe(request: ConnectRequest & { stream: PipedStream }): Promise<void> {
    const { kind, id } = request.stream;
    const stream = kind === 'data' ? { dataProducerId: id } : { producerId: id };
    return this.#piper.accept(stream, request.routerId, onProduced => this.#links.acceptPipe(request, onProduced));
  }

  confirmPipes(request: ConfirmRequest): Promise<void> {
    return this.#links.confirmPipes(request);
  }

  async leaveLinks(request: LeaveRequest): Promise<void> {
    this.#leftLinks.leave(request);
  }

  /** Closes the Transports before the Routers: a Router closes all that is in it in one go. */
  protected override async releaseInTurns(): Promise<void> {
    await turns.forEach(this.transports.values(), transport => transport.close());
    await this.release();
  }

  protected async release(): Promise<void> {
    const closed = this.#places.close();
    this.#leftLinks.close();
    this.#idlePipes.clear();
    this.#flow.close();
    this.#piper.close();
    await closed;
  }

  /** Completes the options with this machine's addresses. The placement is dropped, since a Mafalda has no choice. */
  #settle(method: CreateMethod & AddressedMethod, given: { placement?: Placement } = {}): Record<string, unknown> {
    return this.#addresses.completeOptions(method, { ...separatePlacement(method, given).rest });
  }

  #create<T extends Closable>(
    method: keyof typeof checks,
    options: object | undefined,
    make: (router: types.Router) => Promise<T>,
  ): Promise<T> {
    this.#check(method, options);
    return this.#places.create(make);
  }

  #check(method: keyof typeof checks, options: object | undefined): void {
    this.assertOpen();
    checks[method](options as Record<string, unknown> | undefined);
  }

  #intercept({ type, object, parent }: TreeNode): void {
    if (type !== 'worker' && type !== 'webRtcServer' && type !== 'rtpObserver') this.#aliases.showInDump(object);
    // mediasoup copies them three times for each Consumer, and only reads the copies.
    if (type === 'producer') keepCopy(readingUncopied(() => object.consumableRtpParameters));
    if (type === 'consumer') this.#aliases.showConsumer(object);
    if (type === 'dataConsumer') this.#aliases.showDataConsumer(object);
    if ((type === 'producer' || type === 'dataProducer') && parent?.type === 'transport') {
      this.#aliases.showProducer(object, parent.object);
      interceptClose(object, this.streams);
      if (!isLinkTransport(parent.object)) noteProducedAt(object, Date.now());
    }
    if (parent?.type !== 'router') return;

    const access = this.#accessFrom(parent.object);
    if (type === 'rtpObserver') {
      interceptRtpObserver(object, access);
      showOrigins(object, this.streams);
    }
    if (type !== 'transport') return;
    const ids = this.#places.streamIdsOf(parent.object);
    if (ids) interceptIds(object, ids, this.#aliases);
    interceptClose(object, this.streams);
    if (!isLinkTransport(object)) interceptTransport(object, parent.object, access);
  }

  #accessFrom(router: types.Router): StreamAccess {
    return {
      streams: this.streams,
      find: async (stream, untilArrived) => {
        const { arrived } = await this.#piper.begin(stream, router);
        if (untilArrived) await arrived;
        const place = this.streams.inRouter(streamKey(stream), router);
        return place && { id: this.#aliases.workerIdOf(place.producer), arrived };
      },
      isHere: where => where === router,
      isArriving: id => this.#piper.isArriving(id),
      hold: id => this.#idlePipes.hold(router.id, id),
    };
  }
}
