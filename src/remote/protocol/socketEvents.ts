/**
 * Events on a socket. Both sides are typed by these tables, and each side has a listener for every event of the other.
 * The session handles the events that carry it (`session.ts`); `messages.ts` has the messages that it delivers.
 */
import type { LoadReport } from '../../api/load.ts';
import type { Welcome } from './messages.ts';

/** Events that carry a session, in both directions. */
export type SessionEvents = {
  /** @param number of the first message @param received number of the other side's latest message that has arrived */
  message: [number: number, received: number, ...messages: unknown[]];
  acknowledge: [received: number];
};

/** Events from the server, outside the session. */
export type ServerEvents = {
  /** First event on each connection. */
  welcome: [welcome: Welcome];
  load: [report: LoadReport];
  /** Ends the service to this client. @param permanent whether trying again would be in vain; default false */
  refused: [reason: string, permanent?: boolean];
  /** The server is about to close, and waits for clients that know another server to move there. */
  goodbye: [];
};

/** Events from the client, outside the session. */
export type ClientEvents = {
  /** Asks for a sign of life. */
  alive: [done: () => void];
  /** Ends the session, and closes the objects that were made in it. @param done called when that has happened */
  bye: [done: () => void];
  /**
   * Ends the session of a client that has moved to another server. The objects that were made in it stay, since that
   * server has taken them over. @param done called when that has happened
   */
  moved: [done: () => void];
};

/** Event types in socket.io's form, for the sending side. */
export type Sent<Events extends Record<string, unknown[]>> = {
  [Name in keyof Events]: (...args: Events[Name]) => void;
};

/** Event types for the receiving side, whose arguments are unknown until they have been checked. */
export type Received<Events extends Record<string, unknown[]>> = {
  [Name in keyof Events]: (...args: Unchecked<Events[Name]>) => void;
};
type Unchecked<Args extends unknown[]> = { [Index in keyof Args]: unknown };

interface Listenable<Events extends Record<string, unknown[]>> {
  on<Name extends keyof Events & string>(name: Name, listener: Received<Events>[Name]): unknown;
}

/** Listens to every event of the other side. */
export function listenToAll<Events extends Record<string, unknown[]>>(
  socket: Listenable<Events>,
  listeners: Received<Events>,
): void {
  for (const name of Object.keys(listeners) as (keyof Events & string)[]) socket.on(name, listeners[name]);
}
