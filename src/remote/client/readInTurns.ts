/** Reading of what a server sends, in turns with other work. */
import type { Manager } from 'socket.io-client';
import { turns } from '../../core/turns.ts';

/** Members of Engine.IO's connection, and of the WebSocket below it in Node.js, that its types leave out. */
interface Engine {
  readonly transport: { readonly ws?: WebSocket };
}
interface WebSocket {
  readonly isPaused?: boolean;
  pause?(): void;
  resume?(): void;
}

/**
 * Reads nothing more before other work has had its turn, if there is no time left in this one: Node.js reads up to 2 MB
 * from a socket in one go, which take long to parse and to check. To be called with each packet.
 */
export function readInTurns(manager: Manager, shared: Pick<typeof turns, 'hasTime'> = turns): void {
  const webSocket = (manager.engine as unknown as Engine | undefined)?.transport.ws;
  if (!webSocket?.pause || webSocket.isPaused || shared.hasTime) return;
  webSocket.pause();
  setImmediate(() => webSocket.resume?.());
}
