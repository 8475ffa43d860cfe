/**
 * Goodbye of a closed client to a server that could not hear it: it is said in the background until the server has
 * heard it, so that what was made there closes. It keeps the process alive for no longer than one attempt to connect.
 */
import { logger } from '../../core/logger.ts';
import { ClosedError } from '../../api/errors.ts';
import type { ResolvedConnectionOptions } from './connectionOptions.ts';
import type { Requests } from './requests.ts';
import { ServerSocket } from './serverSocket.ts';

const log = logger('client');

/**
 * Time limit, in ms, longer than a server keeps what an absent client has made, by the defaults of its `sessionTimeout`
 * and `orphanTimeout`.
 */
const LIMIT_MS = 600_000;
/** Interval of attempts while the server refuses the client, in ms. */
const REFUSED_INTERVAL_MS = 5000;

export interface FarewellOptions {
  url: string;
  options: ResolvedConnectionOptions;
  /** Session that ends. */
  sessionId: string;
  /** Id of the server that has begun the session: handles mean nothing to another server process. */
  serverId: string | undefined;
  /** Requests of the client, which has ended its session with them: closes that were not confirmed go along. */
  requests: Requests;
}

/** Begins to say goodbye. The client hears nothing of it. */
export function sayFarewell({ url, options, sessionId, serverId, requests }: FarewellOptions): void {
  // The session is named by its id alone: under the client's name there may be another client by now.
  const credentials = { endSessionId: sessionId };
  const server = new ServerSocket({
    url,
    options,
    credentials: () => credentials,
    isOnly: true,
    keepsProcess: false,
  });
  let retry: NodeJS.Timeout | undefined;
  const endSession = (): void => requests.end(() => new ClosedError(`${url}: the client is closed`));
  const end = (why: string): void => {
    log('the goodbye to %s is over: %s', url, why);
    clearTimeout(limit);
    clearTimeout(retry);
    server.close(true);
    server.removeAllListeners();
    endSession();
  };
  const limit = setTimeout(() => end('its time is over'), LIMIT_MS).unref();
  requests.removeAllListeners();
  requests.on('failed', () => end('the session has failed'));
  server.on('welcome', welcome => {
    if (welcome.serverId !== serverId) requests.forgetCloses();
    requests.begin();
    requests.attach(server.socket, welcome.session.received, welcome.maxPayload);
  });
  server.on('disconnected', reason => {
    endSession();
    // socket.io does not connect again after a server has closed the connection.
    if (reason.endsWith('disconnect')) retryLater();
  });
  server.on('refused', (reason, isPermanent) => (isPermanent ? end(reason) : retryLater()));
  server.on('cutoff', end);
  server.on('broken', end);
  // The objects have ended with the process.
  server.on('failed', isGone => isGone && end('nobody listens there any more'));
  void server.sayGoodbye(() => requests.flush()).then(() => end('it was heard'));
  server.connect();

  function retryLater(): void {
    clearTimeout(retry);
    retry = setTimeout(() => server.connect(), REFUSED_INTERVAL_MS).unref();
  }
}
