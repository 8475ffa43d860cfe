/** The end of a connection through which nothing comes. */
import type { Manager } from 'socket.io-client';

/** Members of Engine.IO's connection, and of the WebSocket below it in Node.js, that its types leave out. */
interface Engine {
  readonly transport: { readonly ws?: { terminate?: () => void } };
}

/**
 * Ends the connection without the consent of the other side, for which a closing WebSocket waits 30 s, and keeps the
 * process alive as long. Must be called before the connection is closed: what that sends is sent first.
 */
export function terminate(manager: Manager): void {
  const engine = manager.engine as unknown as Engine | undefined;
  const webSocket = engine?.transport.ws;
  setImmediate(() => webSocket?.terminate?.());
}
