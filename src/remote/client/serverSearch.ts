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
/** Number of times that a client which servers let in and send away again makes the next attempt at once. */
const MAX_SENT_AWAY = 20;
/** Interval at which such an attempt is made beyond that, in ms. */
const SENT_AWAY_INTERVAL_MS = 2000;

/** Members of a server's socket that the search needs. */
export type Candidate = Pick<ServerSocket, 'connect' | 'disconnect'>;

export class ServerSearch<Server extends Candidate> {
  readonly #servers: readonly Server[];
  readonly #isBarred: (server: Server) => boolean;
  readonly #pauses = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
  /** Number of times, with a fraction, that the client may still be sent away and make the next attempt at once. */
  #patience = MAX_SENT_AWAY;
  #sentAwayAt = performance.now();
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

  /**
   * Tries this server first, and for a short time only: it may have lost no more than a connection.
   * @param isSentAway whether the connection has ended soon after the server had let the client in
   */
  returnTo(server: Server, isSentAway = false): void {
    if (this.#target) return;
    if (isSentAway) this.#trySentAway(server, RETURN_MS);
    else this.#try(server, RETURN_MS);
  }

  /** Tries this server first. */
  begin(server: Server): void {
    if (!this.#target) this.#try(server, ATTEMPT_MS);
  }

  /** Tries the servers after this one. */
  beginAfter(server: Server): void {
    if (!this.#target) this.#try(this.#after(server), ATTEMPT_MS);
  }

  /** Tries all servers but this one, to which there is a connection still. */
  leave(server: Server): void {
    this.#left = server;
    if (!this.#target) this.#trySentAway(this.#after(server), ATTEMPT_MS);
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

  /**
   * Tries a server at once, or after a pause if the client has been sent away again and again: servers that let it in
   * and send it away must not keep it busy.
   */
  #trySentAway(server: Server, limitMs: number): void {
    const now = performance.now();
    this.#patience = Math.min(MAX_SENT_AWAY, this.#patience + (now - this.#sentAwayAt) / SENT_AWAY_INTERVAL_MS) - 1;
    this.#sentAwayAt = now;
    if (this.#patience >= 0) return this.#try(server, limitMs);
    this.#target = server;
    this.#timer = setTimeout(() => this.#try(server, limitMs), -this.#patience * SENT_AWAY_INTERVAL_MS);
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
