/**
 * Search for a server that lets the client in, among several that stand for the same thing: each is tried in turn, at
 * once, with a pause only after a round in which none did.
 */
import { Backoff } from '../../core/backoff.ts';
import type { ServerSocket } from './serverSocket.ts';

/** Time limit of an attempt, until the server's welcome, in ms. */
const ATTEMPT_MS = 4000;
/** The same for a server that has just lost the connection, and may live, in ms. */
const RETURN_MS = 1000;
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 1000;
/** The longest pause before a server is left that asks for it soon after another one has, in ms. */
const MAX_LEAVE_PAUSE_MS = 5000;
/** Time without such a request after which the next one is followed at once again, in ms. */
const SETTLED_AFTER_MS = 60_000;

/** What the search needs of a server. */
export type Candidate = Pick<ServerSocket, 'connect' | 'disconnect'>;

export class ServerSearch<Server extends Candidate> {
  readonly #servers: readonly Server[];
  readonly #isBarred: (server: Server) => boolean;
  readonly #pauses = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
  /** Pauses of a client that is sent back and forth between servers. */
  readonly #leavePauses = new Backoff(FIRST_PAUSE_MS, MAX_LEAVE_PAUSE_MS);
  #leftAt = -Infinity;
  #target: Server | undefined;
  /** Server that is being left, and so is not tried. */
  #left: Server | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Number of attempts that have failed in a row. */
  #failures = 0;

  /** @param isBarred whether it is useless to try a server */
  constructor(servers: readonly Server[], isBarred: (server: Server) => boolean) {
    this.#servers = servers;
    this.#isBarred = isBarred;
  }

  /** Server that is being tried, or is tried next. */
  get target(): Server | undefined {
    return this.#target;
  }

  /** Tries this server first, and for a short time only: it may have lost no more than a connection. */
  returnTo(server: Server): void {
    if (!this.#target) this.#try(server, RETURN_MS);
  }

  /** Tries this server first. */
  begin(server: Server): void {
    if (!this.#target) this.#try(server, ATTEMPT_MS);
  }

  /** Tries the servers after this one. */
  beginAfter(server: Server): void {
    if (!this.#target) this.#try(this.#after(server), ATTEMPT_MS);
  }

  /**
   * Tries all servers but this one, to which there is a connection still: at once, or after a growing pause if another
   * one was left a short time ago, since servers that send a client to each other must not keep it busy.
   */
  leave(server: Server): void {
    this.#left = server;
    if (this.#target) return;
    const now = performance.now();
    const isSettled = now - this.#leftAt >= SETTLED_AFTER_MS;
    this.#leftAt = now;
    if (isSettled) {
      this.#leavePauses.reset();
      return this.beginAfter(server);
    }
    const next = (this.#target = this.#after(server));
    this.#timer = setTimeout(() => this.#try(next, ATTEMPT_MS), this.#leavePauses.next());
  }

  /** Tries again also a server that was being left: there is no connection to it any more. */
  lost(server: Server): void {
    if (this.#left === server) this.#left = undefined;
  }

  /** Goes on with the next server: the attempt has failed. Ignored for a server that is not being tried. */
  failed(server: Server): void {
    if (server !== this.#target) return;
    clearTimeout(this.#timer);
    const next = (this.#target = this.#after(server));
    const isRound = ++this.#failures % this.#servers.length === 0;
    this.#timer = setTimeout(() => this.#try(next, ATTEMPT_MS), isRound ? this.#pauses.next() : 0);
  }

  /** Ends the search: a server has let the client in. */
  found(): void {
    this.stop();
    this.#failures = 0;
    this.#pauses.reset();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#target = undefined;
    this.#left = undefined;
  }

  #try(server: Server, limitMs: number): void {
    this.#target = server;
    this.#timer = setTimeout(() => {
      server.disconnect();
      this.failed(server);
    }, limitMs);
    server.connect();
  }

  #after(server: Server): Server {
    const from = this.#servers.indexOf(server) + 1;
    const others = [...this.#servers.slice(from), ...this.#servers.slice(0, from)].filter(
      other => other !== this.#left && !this.#isBarred(other),
    );
    return others[0] ?? server;
  }
}
