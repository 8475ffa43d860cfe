/**
 * The events on a socket. Both sides are typed by these tables, and each side has a listener for every event of the other.
 * Those that carry a session are the session's own business: see `session.ts`, and `messages.ts` for what it delivers.
 */
import type { LoadReport } from '../../api/load.ts';
import type { Welcome } from './messages.ts';

/** What carries a session, in both directions. */
export type SessionEvents = {
  /** @param number that of the first message. @param received up to which number the other side's messages have arrived */
  message: [number: number, received: number, ...messages: unknown[]];
  acknowledge: [received: number];
};

/** What a server says beside it. */
export type ServerEvents = {
  /** Its first word on each connection. */
  welcome: [welcome: Welcome];
  load: [report: LoadReport];
  /** The client is not served, or no longer. @param permanent whether it would be in vain to try again; default false */
  refused: [reason: string, permanent?: boolean];
};

/** What a client says beside it. */
export type ClientEvents = {
  /** Asks for a sign of life. */
  alive: [done: () => void];
  /** The session is to end, with what was made in it. @param done called when that has happened */
  bye: [done: () => void];
};

/** Events as socket.io wants them, for the side that sends them. */
export type Sent<Events extends Record<string, unknown[]>> = { [Name in keyof Events]: (...args: Events[Name]) => void };

/** Events for the side that gets them: nothing is known of what comes until it has been looked at. */
export type Received<Events extends Record<string, unknown[]>> = { [Name in keyof Events]: (...args: Unchecked<Events[Name]>) => void };
type Unchecked<Args extends unknown[]> = { [Index in keyof Args]: unknown };

interface Listenable<Events extends Record<string, unknown[]>> {
  on<Name extends keyof Events & string>(name: Name, listener: Received<Events>[Name]): unknown;
}

/** Listens to every event of the other side. */
export function listenToAll<Events extends Record<string, unknown[]>>(socket: Listenable<Events>, listeners: Received<Events>): void {
  for (const name of Object.keys(listeners) as (keyof Events & string)[]) socket.on(name, listeners[name]);
}
