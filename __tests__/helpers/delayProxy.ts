/** A TCP proxy that makes round trips visible: everything takes its time, each way. */
import { tcpProxy, type TcpProxy } from './tcpProxy.ts';

export function delayProxy(target: string, delayMs: number): Promise<TcpProxy> {
  return tcpProxy(target, (from, to) => {
    from.setNoDelay(true);
    from.on('data', chunk => setTimeout(() => to.writable && to.write(chunk), delayMs));
  });
}
