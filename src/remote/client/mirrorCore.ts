/**
 * Internals of a mirror, hidden from the application: its state, its parent and children, and its calls to the server.
 */
import { isDeepStrictEqual } from 'node:util';
import { NotFoundError, WorkerClosedError } from 'mediasoup/errors';
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import { NodeUnavailableError } from '../../api/errors.ts';
import { copyToRead } from '../../core/copies.ts';
import { decode } from '../protocol/codec.ts';
import { listenedEventsOf, propertiesOf, type ClassDescription } from '../protocol/describe.ts';
import type { ClassName } from '../protocol/classes.ts';
import { measure } from '../protocol/measure.ts';
import type { Addition, Changes, MAFALDA_TARGET, MEDIASOUP_TARGET, Target } from '../protocol/messages.ts';
import { checkChanges, checkState } from '../protocol/validateServer.ts';
import type { SharedParameters } from './sharedParameters.ts';

/** Target of a request: an object has the handle that it has when the request is sent. */
export type CallTarget = Exclude<Target, number> | typeof MAFALDA_TARGET | typeof MEDIASOUP_TARGET | MirrorCore;

/** Calls by which mirrors reach their server. */
export interface Caller {
  call(target: CallTarget, method: string, args: unknown[]): Promise<unknown>;
  send(target: CallTarget, method: string, args: unknown[]): void;
  /** Closes an object, again after the loss of a session, until the server has received it. */
  closeObject(object: MirrorCore): void;
  /**
   * Closes a MafaldaRouter, in the same way.
   * @param number that distinguishes it from other MafaldaRouters of its id; undefined before the server has sent it
   */
  closeMafaldaRouter(id: string, number: number | undefined): Promise<unknown>;
  /** Closes a MafaldaRouter of an ended session, without waiting for an answer, since the server may never be back. */
  closeLostMafaldaRouter(id: string, number: number): void;
  /** Subscribes to an event that only listeners get, or unsubscribes from it. */
  listen(object: MirrorCore, name: string, listening: boolean): void;
}

/**
 * Returns the target as the server knows it.
 * @throws {NodeUnavailableError} if the server has not shown the object yet
 */
export function handleOf(target: CallTarget, use: string): Target {
  if (typeof target !== 'object') return target;
  if (!target.isBound) throw target.missingError(`${use}()`);
  return target.handle;
}

/** Empty set that all mirrors without children share, since there are many. */
const noMirrors: ReadonlySet<never> = new Set();

/** Number of events in a row without a listener, after which the server need not send them any more. */
const MAX_UNHEARD = 100;

/** Objects are not needed, since states refer to none. */
const noObject = (): undefined => undefined;

type Emitter = EnhancedEventEmitter<Record<string, unknown[]>>;

export class MirrorCore {
  /** Id of the MafaldaRouter that it is in; undefined for objects in the client's own Workers. */
  readonly mafaldaRouter: string | undefined;
  readonly className: ClassName;
  readonly id: string;
  /** Idempotency key of the call that has created it. */
  readonly key: string | undefined;
  readonly description: ClassDescription;
  readonly parent: MirrorCore | undefined;
  #children: Set<MirrorCore> | undefined;
  /** Producers in a Router, by their ids. */
  #producers: Map<string, MirrorCore> | undefined;
  /** Called when it has closed, here or at the server. */
  onClosed: () => void = () => undefined;
  readonly #caller: Caller;
  #handle: number;
  #isBound = true;
  #isOwn = false;
  readonly #state: Changes;
  #object!: Emitter & { observer: Emitter };
  /** Names of the events that the server sends because this client listens. */
  #listening: ReadonlySet<string> | undefined;
  /** Number of the latest of these events, in a row, that nobody listened to. */
  #unheard = 0;
  #closed = false;
  /** Whether its end has begun: the events of it have come, or are about to. */
  #isEnding = false;
  #endedBy: string | undefined;

  /**
   * @param parameters shared by the mirrors of the same server
   */
  constructor(
    caller: Caller,
    description: ClassDescription,
    addition: Addition,
    parent: MirrorCore | undefined,
    mafaldaRouter: string | undefined,
    parameters: SharedParameters,
  ) {
    this.#caller = caller;
    this.mafaldaRouter = mafaldaRouter;
    this.#handle = addition.handle;
    this.className = addition.className;
    this.id = addition.id;
    this.key = addition.key;
    this.description = description;
    this.parent = parent;
    this.#state = checkState(description, addition.state);
    for (const name of Object.keys(this.#state)) this.#set(name, this.#state[name]);
    parameters.share(this.#state);
  }

  get object(): object {
    return this.#object;
  }

  get children(): ReadonlySet<MirrorCore> {
    return this.#children ?? noMirrors;
  }

  get parentId(): string | undefined {
    return this.parent?.id;
  }

  /** Handle by which the server knows it. */
  get handle(): number {
    return this.#handle;
  }

  /** Whether the present server has shown the object, so that it has a handle there. */
  get isBound(): boolean {
    return this.#isBound;
  }

  /** Whether this client has made it, and closes it with its session. */
  get isOwn(): boolean {
    return this.#isOwn;
  }

  /** Waits for another server to show the object. */
  unbind(): void {
    this.#isBound = false;
  }

  /** Goes on as the mirror of the object that another server shows, with the changes that were missed. */
  rebind({ handle, state }: Addition): void {
    this.#handle = handle;
    this.#isBound = true;
    for (const name of this.#listening ?? []) this.#caller.listen(this, name, true);
    this.catchUp(state);
  }

  /** Notes that this client has taken over the object from another one. */
  markAdopted(): void {
    this.#isOwn = true;
  }

  /** Notes that another client has taken over the object. */
  disown(): void {
    this.#isOwn = false;
  }

  /** Returns the child of this class and id. */
  childOf(className: ClassName, id: string): MirrorCore | undefined {
    for (const child of this.children) if (child.className === className && child.id === id) return child;
    return undefined;
  }

  /** Whether it counts as closed, alone or with what it is in. */
  get closed(): boolean {
    return this.#closed || this.parent?.closed === true;
  }

  /** Event with the reason why it has closed, if there is any. */
  get endedBy(): string | undefined {
    return this.#endedBy;
  }

  /** Returns the Producer of this id in a Router. */
  producer(id: string): object | undefined {
    return this.#producers?.get(id)?.object;
  }

  forgetProducer(producer: MirrorCore): void {
    if (this.#producers?.get(producer.id) === producer) this.#producers.delete(producer.id);
  }

  /** Joins the tree. Called once by the constructor of the mirror, so that a failed mirror is no part of the tree. */
  bind(object: object): void {
    this.#object = object as Emitter & { observer: Emitter };
    if (this.parent) (this.parent.#children ??= new Set()).add(this);
    if (this.className === 'Producer' && this.parent?.parent)
      (this.parent.parent.#producers ??= new Map()).set(this.id, this);
  }

  /** Tells the server whether there are listeners of an event that it sends only to listeners; default: of all of them. */
  noteListeners(name?: string): void {
    const listened = listenedEventsOf(this.description);
    if (name === undefined) for (const each of listened) this.#listen(each, this.#object.listenerCount(each) > 0);
    else if (listened.has(name)) this.#listen(name, this.#object.listenerCount(name) > 0);
  }

  /**
   * Marks an object that this client has created: the server takes the creator for a listener, since the first message
   * could come before a subscription.
   */
  markCreatedHere(): void {
    this.#isOwn = true;
    const listened = listenedEventsOf(this.description);
    if (listened.size > 0) this.#listening = listened;
  }

  /** Bytes that its properties take. */
  get stateBytes(): number {
    return measure(this.#state).bytes;
  }

  /** Returns a copy of a property, as mediasoup does, so that the caller may change it. */
  read(name: string): unknown {
    return copyToRead(this.#state[name]);
  }

  /** Applies changes from the server. @throws {TypeError} for changes that an object of this class can't have */
  apply(changes: Changes): void {
    this.#apply(checkChanges(this.description, changes));
  }

  /** Applies checked changes, in which null stands for undefined. */
  #apply(changes: Changes): void {
    for (const name of Object.keys(changes)) this.#set(name, changes[name]);
  }

  #set(name: string, encoded: unknown): void {
    const value = decode(encoded, noObject) ?? undefined;
    if (this.#state[name] !== value) this.#state[name] = value;
  }

  /** Takes over the present state after missed messages, and emits the events of properties that have changed. */
  catchUp(state: Changes): void {
    const before = { ...this.#state };
    // A changing property that is missing in the state has become undefined.
    const gone = propertiesOf(this.description).changing.filter(name => !Object.hasOwn(state, name));
    this.apply({ ...state, ...Object.fromEntries(gone.map(name => [name, null])) });
    for (const [name, event] of Object.entries(this.description.stateEvents ?? {})) {
      const value = this.#state[name];
      if (isDeepStrictEqual(value, before[name])) continue;
      if (typeof event === 'string') this.emit(event, [value]);
      else this.emit(value ? event[0] : event[1], []);
    }
  }

  async call(method: string, args: unknown[]): Promise<unknown> {
    this.#doAtOnce(method, args);
    if (this.closed) throw this.closedError(`${method}()`);
    try {
      return await this.#caller.call(this, method, args);
    } catch (error) {
      // The object was closed in the meantime, here or at the server, so the error is the same as for an earlier
      // close().
      if (this.closed && error instanceof NotFoundError) throw this.closedError(`${method}()`);
      throw error;
    }
  }

  send(method: string, args: unknown[]): void {
    this.#doAtOnce(method, args);
    if (!this.closed) this.#caller.send(this, method, args);
  }

  /** @throws the error that mediasoup throws for such arguments */
  #doAtOnce(method: string, args: unknown[]): void {
    const atOnce = this.description.atOnce?.[method] as ((...args: unknown[]) => Changes | undefined) | undefined;
    const changes = atOnce?.(...args);
    if (changes) this.#apply(changes);
  }

  /** Returns the error that mediasoup throws for the use of a closed object. */
  closedError(use: string): Error {
    const ErrorClass = this.#root.closed ? WorkerClosedError : NotFoundError;
    return new ErrorClass(`${use} of an object that is closed [id:${this.id}]`);
  }

  /** Returns the error for the use of an object that the present server has not shown yet. */
  missingError(use: string): Error {
    return new NodeUnavailableError(
      `${use} of an object that the server which the client has moved to does not show yet [id:${this.id}]`,
    );
  }

  get #root(): MirrorCore {
    return this.parent ? this.parent.#root : this;
  }

  /** Emits an event on the same emitters as mediasoup. */
  emit(name: string, args: unknown[]): void {
    const where = this.description.events[name];
    const isHeard = where !== 'observer' && this.#object.safeEmit(name, ...args);
    if (where === 'listened') this.#noteHeard(name, isHeard);
    if (where === 'both' || where === 'observer') this.#object.observer.safeEmit(name, ...args);
  }

  /** Has the server stop events that come again and again, though nobody listens, until there is a listener. */
  #noteHeard(name: string, isHeard: boolean): void {
    this.#unheard = isHeard ? 0 : this.#unheard + 1;
    if (this.#unheard < MAX_UNHEARD) return;
    this.#unheard = 0;
    this.#listen(name, false);
  }

  /** Announces a new child, before its creator gets it, as mediasoup does. */
  announce(child: MirrorCore): void {
    this.#object.observer.safeEmit(child.description.announcement, child.object);
  }

  /** Closes the object for the application, at once, and sends that to the server. */
  close(): void {
    if (!this.closed) this.#caller.closeObject(this);
    this.end(undefined, []);
  }

  #listen(name: string, listening: boolean): void {
    if (this.closed || (this.#listening?.has(name) ?? false) === listening) return;
    // Most mirrors share the set of their class.
    const names = new Set(this.#listening);
    if (listening) names.add(name);
    else names.delete(name);
    this.#listening = names;
    this.#caller.listen(this, name, listening);
  }

  /**
   * Ends the mirror of a closed object. Its children close before it emits anything, and the cause is emitted before
   * `close`, both as in mediasoup.
   * @param cause event with the reason, or undefined if it was closed by the application
   */
  end(cause: string | undefined, args: unknown[]): void {
    if (!this.#begin(cause)) return;
    for (const child of this.children) child.end(child.description.closedByParent, []);
    this.#finish(cause, args);
  }

  /**
   * Counts as closed from now on, with all that is in it: its end, which has to follow, takes a while.
   * @param cause event with the reason, which the end will emit
   */
  markClosed(cause?: string): void {
    this.#closed = true;
    this.#endedBy = cause;
  }

  /** Ends the mirror like {@link end}, one object in each step, since there may be many in it. */
  *ending(cause: string | undefined, args: unknown[]): Generator<void, void, undefined> {
    if (!this.#begin(cause)) return;
    for (const child of this.children) {
      const { closedByParent } = child.description;
      if (child.children.size > 0) yield* child.ending(closedByParent, []);
      else child.end(closedByParent, []);
      yield;
    }
    this.#finish(cause, args);
  }

  /** @returns whether it has not ended before */
  #begin(cause: string | undefined): boolean {
    if (this.#isEnding) return false;
    this.#isEnding = true;
    this.#closed = true;
    this.#endedBy = cause;
    const { closedState } = this.description;
    for (const name in closedState) if (this.#state[name] !== undefined) this.#state[name] = closedState[name];
    return true;
  }

  #finish(cause: string | undefined, args: unknown[]): void {
    this.#children = undefined;
    // A mirror that ends with its parent goes with the parent's list.
    if (this.parent && !this.parent.#isEnding) this.parent.#children?.delete(this);
    this.parent?.parent?.forgetProducer(this);
    if (cause !== undefined) this.#object.safeEmit(cause, ...args);
    this.#object.observer.safeEmit('close');
    this.onClosed();
  }
}
