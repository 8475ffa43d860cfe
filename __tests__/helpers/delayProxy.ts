/** A TCP proxy that makes round trips visible: everything takes its time, each way, and never less. */
import { tcpProxy, type TcpProxy } from './tcpProxy.ts';

export function delayProxy(target: string, delayMs: number): Promise<TcpProxy> {
  return tcpProxy(target, (from, to) => {
    const onTheWay: { chunk: Buffer; due: number }[] = [];
    // A timer of Node.js counts from when its turn of the event loop began, so that it is early by as long as the turn has taken; what is not due waits again.
    const arrive = (): void => {
      while (onTheWay[0] && onTheWay[0].due <= performance.now()) {
        const { chunk } = onTheWay.shift()!;
        if (to.writable) to.write(chunk);
      }
      if (onTheWay[0]) setTimeout(arrive, onTheWay[0].due - performance.now());
    };
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      onTheWay.push({ chunk, due: performance.now() + delayMs });
      if (onTheWay.length === 1) setTimeout(arrive, delayMs);
    });
  });
}
