/** What all MafaldaRouters have in common: their identity, their objects, and how they end. */
import * as ortc from 'mediasoup/ortc';
import type { PipeToRouterResult, Router, RtpCapabilities, RtpObserver, Transport, Worker } from 'mediasoup/types';
import { copyOf } from '../core/copies.ts';
import { ClosedError } from '../api/errors.ts';
import { logger } from '../core/logger.ts';
import { mayForgetCalls } from '../core/mayForget.ts';
import { ObjectTree } from '../core/objectTree.ts';
import { PublicEmitter } from '../core/publicEmitter.ts';
import { watchPaths } from '../piping/lostPaths.ts';
import { Streams } from '../piping/streams.ts';
import { StreamUsers } from '../piping/streamUsers.ts';
import { Outlets } from '../piping/pipeToMafaldaRouter.ts';
import type { MafaldaRouter, MafaldaRouterEvents, PipeToMafaldaRouterOptions } from '../api/types.ts';

const log = logger('router');

const creates = [
  'WebRtcTransport',
  'PlainTransport',
  'PipeTransport',
  'DirectTransport',
  'ActiveSpeakerObserver',
  'AudioLevelObserver',
].map(name => `create${name}`);
const forgettable = [
  ...creates,
  'attach',
  'getRtpCapabilities',
  'canConsume',
  'pipeToMafaldaRouter',
  'getResourceUsages',
  'dump',
  'close',
  'leave',
];

export abstract class MafaldaRouterBase extends PublicEmitter<MafaldaRouterEvents> {
  readonly id: string;
  readonly tree: ObjectTree;
  readonly streams: Streams;
  readonly users: StreamUsers;
  #closed = false;
  #released: Promise<void> | undefined;

  readonly #outlets: Outlets;

  /** @param network whether its pipes to other MafaldaRouters may leave the machine: then they are encrypted unless told otherwise */
  constructor(id: string, network: boolean, tree = new ObjectTree()) {
    super();
    mayForgetCalls(this, forgettable);
    this.id = id;
    this.tree = tree;
    this.streams = new Streams(tree);
    this.users = new StreamUsers(tree);
    watchPaths(tree, this.streams, this.users, path => this.safeEmit('pathlost', path));
    this.#outlets = new Outlets(this.streams, network);
  }

  /** Closes what it made, at once, and resolves when that is known to have happened. */
  protected abstract release(): Promise<void>;

  get closed(): boolean {
    return this.#closed;
  }

  /** What is in this process is in the tree as soon as it is there. */
  async attach(): Promise<void> {
    this.assertOpen();
  }

  get workers(): ReadonlyMap<string, Worker> {
    return this.tree.workers;
  }

  get routers(): ReadonlyMap<string, Router> {
    return this.tree.routers;
  }

  get transports(): ReadonlyMap<string, Transport> {
    return this.tree.transports;
  }

  get rtpObservers(): ReadonlyMap<string, RtpObserver> {
    return this.tree.rtpObservers;
  }

  /** Without a round trip: what mediasoup's Router would answer is in the Producer's consumable RTP parameters. */
  async canConsume({
    producerId,
    rtpCapabilities,
  }: {
    producerId: string;
    rtpCapabilities: RtpCapabilities;
  }): Promise<boolean> {
    const producer = this.streams.producer(producerId);
    if (!producer) {
      log('canConsume() | Producer with id "%s" not found', producerId);
      return false;
    }
    try {
      return ortc.canConsume(producer.consumableRtpParameters, copyOf(rtpCapabilities));
    } catch (error) {
      log('canConsume() | %o', error);
      return false;
    }
  }

  async pipeToMafaldaRouter(options: PipeToMafaldaRouterOptions<MafaldaRouter>): Promise<PipeToRouterResult> {
    this.assertOpen();
    return this.#outlets.pipe(this, options);
  }

  /** Idempotent. Closes everything at once, and resolves when that is known to have happened everywhere. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#released = this.release();
      this.safeEmit('close');
    }
    await this.#released;
  }

  /** Who is in this process is meant to share one object: there are no others. */
  async leave(): Promise<void> {
    await this.close();
  }

  /** What is in this process is not lost. */
  closeLost(): void {
    return undefined;
  }

  /** As mediasoup does where nobody listens for `died`: it must not go unnoticed. */
  protected reportWorkerDied(worker: Worker, error: Error): void {
    if (!this.safeEmit('workerdied', worker, error)) this.reportError(error);
  }

  protected assertOpen(): void {
    if (this.closed)
      throw new ClosedError(`MafaldaRouter "${this.id}" is closed: createMafaldaRouter() makes another one`);
  }
}
