/** What a mirror is made of, out of the application's sight: its state, its place in the tree, its way to the server. */
import type { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { NotFoundError, WorkerClosedError } from 'mediasoup/errors';
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import { copyOf } from '../../core/copies.ts';
import { decode } from '../protocol/codec.ts';
import { listenedEventsOf, membersOf, type ClassDescription } from '../protocol/describe.ts';
import type { ClassName } from '../protocol/classes.ts';
import { measure } from '../protocol/measure.ts';
import type { Addition, Changes, Target } from '../protocol/messages.ts';
import { checkChanges, checkState } from '../protocol/validateServer.ts';
import type { SharedParameters } from './sharedParameters.ts';

/** How mirrors reach their server. */
export interface Caller {
  call(target: Target, method: string, args: unknown[]): Promise<unknown>;
  send(target: Target, method: string, args: unknown[]): void;
  /** Closes an object, until the server has heard of it. @param mafaldaRouter that it is in; none for what is in a Worker of our own */
  closeObject(handle: number, mafaldaRouter: string | undefined): void;
  /** The same for a MafaldaRouter. @param number by which the server tells it apart from others with this id, if it has told it */
  closeMafaldaRouter(id: string, number: number | undefined): Promise<unknown>;
  /** The same for one of a session that is over. The server may never be back, so there is no answer to wait for. */
  closeLostMafaldaRouter(id: string, number: number): void;
  /** Asks to be told, or not to be told any more, of an event that only listeners are told of. */
  listen(handle: number, name: string, listening: boolean): void;
}

/** States refer to none. */
const noObject = (): undefined => undefined;

type Emitter = EnhancedEventEmitter<Record<string, unknown[]>>;

export class MirrorCore {
  readonly handle: number;
  readonly className: ClassName;
  readonly id: string;
  readonly description: ClassDescription;
  readonly children = new Set<MirrorCore>();
  readonly parent: MirrorCore | undefined;
  /** Of a Router: the Producers in it, by their ids. */
  #producers: Map<string, MirrorCore> | undefined;
  /** Called when it has closed, from whichever side. */
  onClosed: () => void = () => undefined;
  readonly #caller: Caller;
  readonly #mafaldaRouter: string | undefined;
  readonly #state: Changes = {};
  #object!: Emitter & { observer: Emitter };
  /** The events that we are told of because we listen. */
  readonly #listening = new Set<string>();
  #closed = false;
  #endedBy: string | undefined;

  /**
   * @param mafaldaRouter that it is in; none for what is in a Worker of our own
   * @param parameters of the mirrors of the same server
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
    this.#mafaldaRouter = mafaldaRouter;
    this.handle = addition.handle;
    this.className = addition.className;
    this.id = addition.id;
    this.description = description;
    this.parent = parent;
    this.#apply(checkState(description, addition.state));
    parameters.share(this.#state);
  }

  get object(): object {
    return this.#object;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The event that says why it has closed, if there is one. */
  get endedBy(): string | undefined {
    return this.#endedBy;
  }

  /** The Producer of this id in a Router. */
  producer(id: string): object | undefined {
    return this.#producers?.get(id)?.object;
  }

  forgetProducer(producer: MirrorCore): void {
    if (this.#producers?.get(producer.id) === producer) this.#producers.delete(producer.id);
  }

  /** To be called once, by the mirror that it belongs to: one that could not be made is no part of the tree. */
  bind(object: object): void {
    this.#object = object as Emitter & { observer: Emitter };
    this.parent?.children.add(this);
    if (this.className === 'Producer' && this.parent?.parent)
      (this.parent.parent.#producers ??= new Map()).set(this.id, this);
    const listened = listenedEventsOf(this.description);
    if (listened.length === 0) return;
    const emitter = this.#object as unknown as EventEmitter;
    emitter.on('newListener', (name: string) => listened.includes(name) && this.#listen(name, true));
    emitter.on(
      'removeListener',
      (name: string) => listened.includes(name) && emitter.listenerCount(name) === 0 && this.#listen(name, false),
    );
  }

  /** Who has made an object is taken for a listener by the server: the first message must not come before the listener. */
  markMadeByUs(): void {
    for (const name of listenedEventsOf(this.description)) this.#listening.add(name);
  }

  /** How much its properties take. */
  get stateBytes(): number {
    return measure(this.#state).bytes;
  }

  /** A copy, as mediasoup gives one: who changes it changes nothing here. */
  read(name: string): unknown {
    return copyOf(this.#state[name]);
  }

  /** @throws {TypeError} for what are no changes of such an object */
  apply(changes: Changes): void {
    this.#apply(checkChanges(this.description, changes));
  }

  /** Null stands for undefined. */
  #apply(changes: Changes): void {
    for (const name of Object.keys(changes)) this.#state[name] = decode(changes[name], noObject) ?? undefined;
  }

  /** The state as it is now, after messages were missed: tells of what has changed. */
  catchUp(state: Changes): void {
    const before = { ...this.#state };
    // Properties that it has no more are left out.
    const gone = membersOf(this.description, 'changing').filter(name => !Object.hasOwn(state, name));
    this.apply({ ...state, ...Object.fromEntries(gone.map(name => [name, null])) });
    for (const [name, event] of Object.entries(this.description.tellsOf ?? {})) {
      const value = this.#state[name];
      if (isDeepStrictEqual(value, before[name])) continue;
      if (typeof event === 'string') this.emit(event, [value]);
      else this.emit(value ? event[0] : event[1], []);
    }
  }

  async call(method: string, args: unknown[]): Promise<unknown> {
    this.#doAtOnce(method, args);
    if (this.#closed) throw this.closedError(`${method}()`);
    try {
      return await this.#caller.call(this.handle, method, args);
    } catch (error) {
      // It was closed in the meantime, here or there: what the other side did not find any more is of no interest.
      if (this.#closed && error instanceof NotFoundError) throw this.closedError(`${method}()`);
      throw error;
    }
  }

  send(method: string, args: unknown[]): void {
    this.#doAtOnce(method, args);
    if (!this.#closed) this.#caller.send(this.handle, method, args);
  }

  /** @throws what mediasoup throws for such arguments */
  #doAtOnce(method: string, args: unknown[]): void {
    const atOnce = this.description.atOnce?.[method] as ((...args: unknown[]) => Changes | undefined) | undefined;
    const changes = atOnce?.(...args);
    if (changes) this.#apply(changes);
  }

  /** What mediasoup throws where something that is closed is used. */
  closedError(use: string): Error {
    const ErrorClass = this.#root.closed ? WorkerClosedError : NotFoundError;
    return new ErrorClass(`${use} of an object that is closed [id:${this.id}]`);
  }

  get #root(): MirrorCore {
    return this.parent ? this.parent.#root : this;
  }

  /** What mediasoup would emit here. */
  emit(name: string, args: unknown[]): void {
    const where = this.description.events[name];
    if (where !== 'observer') this.#object.safeEmit(name, ...args);
    if (where === 'both' || where === 'observer') this.#object.observer.safeEmit(name, ...args);
  }

  /** A child has come: as mediasoup does, before whoever asked for it gets it. */
  announce(child: MirrorCore): void {
    this.#object.observer.safeEmit(child.description.announcement, child.object);
  }

  /** The application closes it: the server is told, and nothing is waited for. */
  close(): void {
    if (!this.#closed) this.#caller.closeObject(this.handle, this.#mafaldaRouter);
    this.end(undefined, []);
  }

  #listen(name: string, listening: boolean): void {
    if (this.#closed || this.#listening.has(name) === listening) return;
    if (listening) this.#listening.add(name);
    else this.#listening.delete(name);
    this.#caller.listen(this.handle, name, listening);
  }

  /**
   * It has closed. What it contains closes before it tells, and it tells first why: both as in mediasoup.
   * @param cause the event that says why, or undefined if it was simply closed
   */
  end(cause: string | undefined, args: unknown[]): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#endedBy = cause;
    for (const [name, value] of Object.entries(this.description.closedState ?? {})) {
      if (this.#state[name] !== undefined) this.#state[name] = value;
    }
    for (const child of this.children) child.end(child.description.closedByParent, []);
    this.children.clear();
    this.parent?.children.delete(this);
    this.parent?.parent?.forgetProducer(this);
    if (cause !== undefined) this.#object.safeEmit(cause, ...args);
    this.#object.observer.safeEmit('close');
    this.onClosed();
  }
}
