/** Base of all MafaldaRouters: their identity, their objects, and their end. */
import * as ortc from 'mediasoup/ortc';
import type { PipeToRouterResult, Router, RtpCapabilities, RtpObserver, Transport, Worker } from 'mediasoup/types';
import { copyOf, readingUncopied } from '../core/copies.ts';
import { ClosedError } from '../api/errors.ts';
import { logger } from '../core/logger.ts';
import { logRejections } from '../core/logRejections.ts';
import { ObjectTree } from '../core/objectTree.ts';
import { PublicEmitter } from '../core/publicEmitter.ts';
import { watchPaths } from '../piping/watchPaths.ts';
import { Streams } from '../piping/streams.ts';
import { StreamUsers } from '../piping/streamUsers.ts';
import { ExternalPipes } from '../piping/externalPipes.ts';
import type { LostPath, MafaldaRouter, MafaldaRouterEvents, PipeToMafaldaRouterOptions } from '../api/types.ts';

const log = logger('router');

/** Number of objects up to which they may end in one go: more would hold up the event loop for longer than a turn. */
const AT_ONCE = 1000;

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
  #isEnding = false;
  #released: Promise<void> | undefined;

  readonly #externalPipes: ExternalPipes;
  /** Consumers whose path was told to be lost: several losses may say so, one after the other. */
  readonly #pathless = new WeakSet<object>();

  /**
   * @param network whether its pipes to other MafaldaRouters may leave the machine: then they are encrypted unless the
   * caller says otherwise
   */
  constructor(id: string, network: boolean, tree = new ObjectTree()) {
    super();
    logRejections(this, forgettable);
    this.id = id;
    this.tree = tree;
    this.streams = new Streams(tree);
    this.users = new StreamUsers(tree);
    watchPaths(tree, this.streams, this.users, path => this.tellLostPath(path));
    this.#externalPipes = new ExternalPipes(this.streams, network);
  }

  /** Closes its objects, and resolves when that is known to have happened. */
  protected abstract release(): Promise<void>;

  /** Does the same in turns with other work, if that takes long here. */
  protected releaseInTurns(): Promise<void> {
    return this.release();
  }

  /** Whether it has so many objects that they should end in turns with other work. */
  protected get isLarge(): boolean {
    return this.tree.size > AT_ONCE;
  }

  /** Emits `pathlost`, once for each Consumer. */
  protected tellLostPath({ producerId, consumers }: LostPath): void {
    const untold = consumers.filter(consumer => !this.#pathless.has(consumer));
    if (untold.length === 0 && consumers.length > 0) return;
    for (const consumer of untold) this.#pathless.add(consumer);
    this.safeEmit('pathlost', { producerId, consumers: untold });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves at once: objects of this process are in the tree as soon as they exist. */
  async attach(): Promise<boolean> {
    this.assertOpen();
    return true;
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

  /** Answers without a round trip: the Producer's consumable RTP parameters decide, as in mediasoup's Router. */
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
      const consumable = readingUncopied(() => producer.consumableRtpParameters);
      return ortc.canConsume(consumable, copyOf(rtpCapabilities));
    } catch (error) {
      log('canConsume() | %o', error);
      return false;
    }
  }

  async pipeToMafaldaRouter(options: PipeToMafaldaRouterOptions<MafaldaRouter>): Promise<PipeToRouterResult> {
    this.assertOpen();
    return this.#externalPipes.pipe(this, options);
  }

  /** Closes all of its objects at once, and resolves when that is known to have happened everywhere. Idempotent. */
  async close(): Promise<void> {
    if (this.#begin()) {
      this.#released = this.release();
      this.safeEmit('close');
    }
    await this.#released;
  }

  /**
   * Closes it like {@link close}. Many objects close after it has told its own end, in turns with other work: a server
   * that closes it for a client has others to serve.
   */
  async closeInTurns(): Promise<void> {
    if (!this.isLarge) return this.close();
    if (this.#begin()) {
      this.safeEmit('close');
      this.#released = this.releaseInTurns();
    }
    await this.#released;
  }

  /** @returns whether its end has not begun before */
  #begin(): boolean {
    if (this.#isEnding) return false;
    this.#isEnding = true;
    this.#closed = true;
    return true;
  }

  /** Counts as closed from now on: its objects are about to end, and {@link close} has to follow. */
  markClosed(): void {
    this.#closed = true;
  }

  /**
   * Closes the MafaldaRouter: users within this process share the same object, so that it has no other users to go on
   * for.
   */
  async leave(): Promise<void> {
    await this.close();
  }

  /** Does nothing: a MafaldaRouter of this process can't be lost. */
  closeLost(): void {
    return undefined;
  }

  /**
   * Reports an unhandled `workerdied` as an error, since it must not go unnoticed: mediasoup does likewise for `died`.
   */
  protected reportWorkerDied(worker: Worker, error: Error): void {
    if (!this.safeEmit('workerdied', worker, error)) this.reportError(error);
  }

  protected assertOpen(): void {
    if (this.closed)
      throw new ClosedError(`MafaldaRouter "${this.id}" is closed: createMafaldaRouter() makes another one`);
  }
}
