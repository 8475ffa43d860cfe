/** The sessions of a server, with their beginnings and ends. */
import { logger } from '../../core/logger.ts';
import { within } from '../../core/within.ts';
import type { SessionEnd } from '../../api/statistics.ts';
import type { Credentials } from '../protocol/messages.ts';
import { ClientSession, type ClientSocket, type SessionContext } from './clientSession.ts';
import { ClientNames } from './clientNames.ts';

const log = logger('server');

/** Time for the Workers of a predecessor to end, and free their ports, before its successor is let in. */
const SUCCESSION_TIMEOUT_MS = 3000;

/** Fate of a client that was let in before: it stays, or has to show a new token, or has to go. */
export type Verdict = 'keep' | 'reconnect' | 'end';

export class Sessions {
  readonly #context: SessionContext;
  readonly #byId = new Map<string, ClientSession>();
  /** Latest connection of each session, with the token that it was let in by. */
  readonly #sockets = new WeakMap<ClientSession, ClientSocket>();
  readonly #names = new ClientNames();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Number of sessions with a connection. */
  get connected(): number {
    let connected = 0;
    for (const session of this.#byId.values()) if (session.connected) ++connected;
    return connected;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /**
   * Ends the session that the client has given up, and those of other clients under its name, with their orphans.
   * Resolves when the processes of their Workers have ended, or after 3 s.
   * @throws {Error} if another client has taken over its name
   */
  async succeed(credentials: Credentials): Promise<void> {
    const { session: resumed, endSessionId, name, instance } = credentials;
    // socket.io sends `data` to the client.
    if (!this.#claimName(credentials)) throw Object.assign(new Error(replacedBy(name)), { data: { permanent: true } });
    const { orphans } = this.#context.served;
    const ending: Promise<void>[] = [];
    const abandoned = endSessionId === undefined ? undefined : this.#byId.get(endSessionId);
    if (abandoned) ending.push(this.end(abandoned, 'replaced'));
    const isPredecessor = (other: { name: string | undefined; instance: string | undefined }): boolean =>
      name !== undefined && other.name === name && other.instance !== instance;
    for (const session of [...this.#byId.values()].filter(isPredecessor)) {
      session.refuse(replacedBy(name), true);
      ending.push(this.end(session, 'replaced'));
    }
    // A client that asks for an ended session has closed, or will close, its mirrors of the objects of that session.
    const over = [endSessionId, resumed?.id];
    const closing = orphans.closeOf(({ owner }) => over.includes(owner.session) || isPredecessor(owner));
    await within(Promise.all([...ending, closing]), SUCCESSION_TIMEOUT_MS);
  }

  /**
   * Resumes the session that the client has asked for, or begins a new session. Undefined if another client has its
   * name.
   */
  begin(credentials: Credentials, socket: ClientSocket): ClientSession | undefined {
    if (!this.#claimName(credentials)) return undefined;
    const resumed = credentials.session && this.#byId.get(credentials.session.id);
    const { tally } = this.#context;
    if (resumed) ++tally.resumed;
    else ++tally.begun;
    const session = resumed ?? this.#begin(credentials);
    this.#sockets.set(session, socket);
    return session;
  }

  /**
   * Looks again at the clients that were let in. A client that has to show a new token loses its connection, and nothing
   * else; one that has to go loses what it has made. Resolves when that is closed.
   * @param judge returns the verdict on a client, given its latest token
   */
  async review(judge: (token: string | undefined) => Verdict): Promise<void> {
    const ending: Promise<void>[] = [];
    for (const session of [...this.#byId.values()]) {
      const socket = this.#sockets.get(session);
      const verdict = judge((socket?.handshake.auth as Credentials | undefined)?.token);
      if (verdict === 'reconnect') socket?.disconnect(true);
      if (verdict !== 'end') continue;
      session.refuse('unauthorized: this client is no longer let in', false);
      ending.push(this.end(session, 'revoked'));
    }
    await Promise.all(ending);
  }

  #begin(credentials: Credentials): ClientSession {
    const session = new ClientSession(this.#context, credentials, error => {
      log.warn('session %s: %o', session.id, error);
      void this.end(session, 'failed');
    });
    this.#byId.set(session.id, session);
    this.#count();
    return session;
  }

  /** Ends the session of a client that has sent `bye`, and frees its name. */
  leave(session: ClientSession): Promise<void> {
    const ended = this.end(session, 'left');
    const { name, instance } = session;
    const isLast = ![...this.#byId.values()].some(other => other.name === name && other.instance === instance);
    if (name !== undefined && instance !== undefined && isLast) this.#names.release(name, instance);
    return ended;
  }

  /** Ends a session, and closes all of its objects. Never rejects. */
  end(session: ClientSession, reason: SessionEnd): Promise<void> {
    this.#forget(session, reason);
    return session.close().catch(error => log.warn('session %s: %o', session.id, error));
  }

  /** Ends the session of a client that has moved to another server, which has taken over its objects. Never rejects. */
  release(session: ClientSession): Promise<void> {
    this.#forget(session, 'moved');
    return session.release().catch(error => log.warn('session %s: %o', session.id, error));
  }

  /** Clients that can move to another server. */
  get movable(): ClientSession[] {
    return [...this.#byId.values()].filter(({ canMove }) => canMove);
  }

  /** Ends the session of a client that has been away for too long; objects in MafaldaRouters that others use stay. */
  giveUp(session: ClientSession): void {
    this.#forget(session, 'lost');
    session.giveUp().catch(error => log.warn('session %s: %o', session.id, error));
  }

  async close(): Promise<void> {
    const ending = [...this.#byId.values()].map(session => this.end(session, 'left'));
    await Promise.all([...ending, this.#context.served.orphans.closeOf(() => true)]);
  }

  #forget(session: ClientSession, reason: SessionEnd): void {
    if (this.#byId.delete(session.id)) this.#context.tally.ended.add(reason);
    this.#count();
  }

  #count(): void {
    this.#context.use.clients = this.#byId.size;
  }

  #claimName({ name, instance }: Credentials): boolean {
    return name === undefined || instance === undefined || this.#names.claim(name, instance);
  }
}

function replacedBy(name: string | undefined): string {
  return `another client has come under the name ${JSON.stringify(name)}, and the one that comes last is served: give each its own`;
}
