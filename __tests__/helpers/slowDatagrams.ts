/** Makes all UDP datagrams of this process take their time, so that round trips of a DHT can be counted. */
import { Socket } from 'node:dgram';

type Send = (this: Socket, ...args: unknown[]) => void;

/** @returns a function that ends it */
export function slowDatagrams(delayMs: number): () => void {
  const prototype = Socket.prototype as unknown as { send: Send };
  const { send } = prototype;
  prototype.send = function (...args) {
    const due = performance.now() + delayMs;
    const arrive = (): void => {
      // A timer of Node.js may be early, which would count as a round trip less.
      const left = due - performance.now();
      if (left > 0) {
        setTimeout(arrive, left);
        return;
      }
      try {
        Reflect.apply(send, this, args);
      } catch (error) {
        // A socket that has been closed meanwhile sends nothing, like one that is.
        if ((error as NodeJS.ErrnoException).code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING') throw error;
      }
    };
    setTimeout(arrive, delayMs);
  };
  return () => void (prototype.send = send);
}
