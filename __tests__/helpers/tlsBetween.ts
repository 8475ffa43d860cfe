/** Something between a client and a server with TLS, which answers with a certificate of its own and reads along. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { Certificate } from './tls.ts';

export interface TlsBetween {
  url: string;
  /** Number of bytes that it has read of clients. */
  readonly heard: number;
  close(): void;
}

/** @param target URL of the server */
export async function tlsBetween(target: string, certificate: Certificate): Promise<TlsBetween> {
  const { hostname: host, port } = new URL(target);
  let heard = 0;
  const server = createServer(certificate, incoming => {
    const outgoing = connect({ host, port: Number(port), rejectUnauthorized: false });
    for (const socket of [incoming, outgoing]) socket.on('error', () => undefined);
    incoming.on('data', (data: Buffer) => (heard += data.length));
    incoming.pipe(outgoing).pipe(incoming);
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, host);
  await once(server, 'listening');
  return {
    url: `wss://${host}:${(server.address() as AddressInfo).port}`,
    get heard() {
      return heard;
    },
    close: () => void server.close(),
  };
}
