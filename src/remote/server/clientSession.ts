/** One client, across its connections: what it is attached to, and the calls that it makes. */
import { randomUUID } from 'node:crypto';
import { NotFoundError } from 'mediasoup/errors';
import { logger } from '../../shared/logger.ts';
import type { MafaldaRouterDump } from '../../shared/dump.ts';
import type { MafaldaObjects, MafaldaRouter, MafaldaRouterOptions, ResourceUsages } from '../../shared/types.ts';
import { mafaldaRouterCalls } from '../protocol/classes.ts';
import { decode, encode } from '../protocol/codec.ts';
import { encodeError } from '../protocol/errors.ts';
import { MAFALDA, type ClientMessage, type ServerMessage, type Target } from '../protocol/messages.ts';
import { Session, type Socket } from '../protocol/session.ts';
import { isClientMessage } from '../protocol/validate.ts';
import type { Addresses } from './addresses.ts';
import type { ExportedObject } from './exportedObject.ts';
import type { Audience, MafaldaRouterExport } from './mafaldaRouterExport.ts';
import type { ServedMafalda } from './servedMafalda.ts';

const log = logger('server');

type Method = (...args: unknown[]) => unknown;

export class ClientSession implements Audience {
  readonly id = randomUUID();
  readonly #served: ServedMafalda;
  readonly #addresses: Addresses;
  readonly #session = new Session<ServerMessage, ClientMessage>(isClientMessage);
  readonly #attached = new Map<string, MafaldaRouterExport>();
  /** MafaldaRouters that this client itself is closing. */
  readonly #closing = new Set<string>();
  #absence: NodeJS.Timeout | undefined;

  /** @param onFailure the client does not keep to the protocol */
  constructor(served: ServedMafalda, addresses: Addresses, onFailure: (error: Error) => void) {
    this.#served = served;
    this.#addresses = addresses;
    this.#session.on('message', message => this.#onMessage(message));
    this.#session.on('error', onFailure);
  }

  get received(): number {
    return this.#session.received;
  }

  connect(socket: Socket, receivedByClient: number): void {
    clearTimeout(this.#absence);
    this.#session.attach(socket, receivedByClient);
  }

  /** Waits for the client to come back, but not for ever. It may be back already, over another connection. */
  disconnect(socket: Socket, timeoutMs: number, onTimeout: () => void): void {
    if (!this.#session.isAttachedTo(socket)) return;
    this.#session.detach();
    clearTimeout(this.#absence);
    this.#absence = setTimeout(onTimeout, timeoutMs).unref();
  }

  /** The end: what only this client was attached to is closed. */
  close(): void {
    clearTimeout(this.#absence);
    this.#session.detach();
    for (const attached of this.#attached.values()) this.#served.detach(this, attached);
    this.#attached.clear();
  }

  tell(message: ServerMessage): void {
    if (message.type === 'closeMafaldaRouter') {
      this.#attached.delete(message.mafaldaRouter);
      // Who has asked for it knows, and may mean another one by the same id already.
      if (this.#closing.delete(message.mafaldaRouter)) return;
    }
    this.#session.send(message);
  }

  #onMessage(message: ClientMessage): void {
    if (message.type === 'send') {
      this.#perform(message.target, message.method, message.args).catch(error => log('%s: %o', message.method, error));
      return;
    }
    const { id, target, method, args } = message;
    this.#perform(target, method, args).then(
      result => this.tell({ type: 'answer', id, result }),
      error => this.tell({ type: 'failure', id, error: encodeError(error) }),
    );
  }

  /** Begins the call before it returns: calls that arrive together are made in their order. */
  async #perform(target: Target, method: string, encodedArgs: unknown[]): Promise<unknown> {
    const args = decode(encodedArgs, handle => this.#exported(handle)?.node.object) as unknown[];
    const exported = typeof target === 'number' && target !== MAFALDA ? this.#exported(target) : undefined;
    const call = this.#method(target, exported, method);
    let result: unknown;
    try {
      result = await call(...this.#addresses.complete(method, args));
    } finally {
      exported?.exporter.tellChanges(exported);
    }
    return encode(result, object => this.#served.exports.byObject(object)?.handle);
  }

  #method(target: Target, exported: ExportedObject | undefined, name: string): Method {
    const method =
      target === MAFALDA
        ? this.#mafaldaMethod(name)
        : typeof target === 'string'
          ? this.#mafaldaRouterMethod(target, name)
          : this.#objectMethod(exported, name);
    if (!method) throw new TypeError(`there is no method ${name}() that can be called from outside`);
    return method;
  }

  #mafaldaMethod(name: string): Method | undefined {
    if (name === 'createMafaldaRouter') return options => this.#attach(options as MafaldaRouterOptions);
    if (name === 'getResourceUsages') return () => this.#usagesOf(this.#served.mafalda);
    return undefined;
  }

  #mafaldaRouterMethod(id: string, name: string): Method | undefined {
    const attached = this.#attached.get(id);
    if (!attached) throw new NotFoundError(`MafaldaRouter with id "${id}" not found: it may be closed`);
    if (name === 'getResourceUsages') return () => this.#usagesOf(attached.mafaldaRouter);
    if (name === 'dump') return () => this.#dumpOf(attached.mafaldaRouter);
    if (name === 'close') {
      return () => {
        this.#closing.add(id);
        return attached.mafaldaRouter.close();
      };
    }
    if (name === 'leave') {
      return () => {
        this.#attached.delete(id);
        this.#served.detach(this, attached);
      };
    }
    return bindIfListed(attached.mafaldaRouter, mafaldaRouterCalls, name);
  }

  #objectMethod(exported: ExportedObject | undefined, name: string): Method | undefined {
    if (!exported) throw new NotFoundError(`the object on which ${name}() is called has been closed`);
    return exported.method(name);
  }

  #attach(options: MafaldaRouterOptions): void {
    const attached = this.#served.attach(this, options);
    this.#attached.set(attached.mafaldaRouter.id, attached);
  }

  async #usagesOf(objects: MafaldaObjects): Promise<ResourceUsages> {
    const usages = Object.entries(await objects.getResourceUsages());
    return Object.fromEntries(usages.map(([id, usage]) => [this.#served.exports.workerId(id), usage]));
  }

  async #dumpOf(mafaldaRouter: MafaldaRouter): Promise<MafaldaRouterDump> {
    const dump = await mafaldaRouter.dump();
    return { ...dump, workers: dump.workers.map(worker => ({ ...worker, id: this.#served.exports.workerId(worker.id) })) };
  }

  /** An object, if it is in one of the MafaldaRouters that this client is attached to. */
  #exported(handle: number): ExportedObject | undefined {
    const exported = this.#served.exports.byHandle(handle);
    return exported?.exporter.isShownTo(this) ? exported : undefined;
  }
}

function bindIfListed(object: object, names: readonly string[], name: string): Method | undefined {
  return names.includes(name) ? (object as Record<string, Method>)[name]!.bind(object) : undefined;
}
