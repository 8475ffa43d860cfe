/** Events of a RemoteMafaldaClient, and the evidence by which a cluster judges whether its server lives. */
import type { LoadReport } from '../../api/load.ts';
import type { MafaldaEvents } from '../../api/types.ts';

/** Failed attempt to connect to a server. */
export interface ConnectFailure {
  /** URL of the server. */
  url: string;
  /** Reason of the failure. */
  error: Error;
}

/** Events of a {@link RemoteMafaldaClient}. */
export type RemoteMafaldaClientEvents = MafaldaEvents & {
  /** The socket is open. */
  open: [];
  /** The server has accepted the client: also after each reconnection. */
  connected: [];
  /** The connection is lost; calls wait until there is a connection again. */
  disconnected: [reason: string];
  /**
   * An attempt to connect has failed, for the reason in `error` and its `cause`; the client goes on trying. Emitted
   * once for each cause, until the client is connected. A `RefusedError` is emitted here too, beside by `error`.
   */
  connecterror: [failure: ConnectFailure];
  /** The load of the server has been reported, in percent of all cores. */
  load: [load: number, report: LoadReport];
  /**
   * The session has ended; everything that came from the server counts as closed right after this. Its events come in
   * turns with other work if it is much, and before `connected`.
   */
  lost: [];
};

/** Evidence of whether the server lives, for a cluster, which has other evidence too. */
export interface ServerSigns {
  /** Whether there is a session, which could be lost. */
  readonly hasSession: boolean;
  /** Time since the last sign of life, in ms. */
  readonly silentFor: number;
  /** Whether its machine has refused a connection since the last sign of life, so that the process must have ended. */
  readonly nobodyListens: boolean;
  /** Asks the server for a sign of life. */
  ask(): void;
  /** Replaces the connection by a new connection. The session goes on. */
  reconnect(): void;
  /** Gives up the session too, so that everything that came from the server closes. */
  giveUp(): void;
}
