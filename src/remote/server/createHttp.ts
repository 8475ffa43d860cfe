/** HTTP server of a RemoteMafaldaServer: requests for its state, and the handshakes of WebSockets. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { ResolvedServerOptions } from './serverOptions.ts';

/** @param handle answers a request, if it is one for the state; returns whether it was */
export function createHttp(
  { cert, key, ca, path }: ResolvedServerOptions,
  handle: (request: IncomingMessage, response: ServerResponse) => boolean,
): HttpServer {
  // Other requests that are no WebSocket handshake get an error.
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (!handle(request, response)) response.writeHead(426).end();
  };
  const http = cert
    ? createHttpsServer(
        { cert, key, ca, requestCert: ca !== undefined, rejectUnauthorized: ca !== undefined },
        onRequest,
      )
    : createHttpServer(onRequest);
  // socket.io would close a handshake at another path only after a second, and without a reason.
  return http.on('upgrade', ({ url }, socket) => {
    if (!url?.startsWith(`${path.replace(/\/$/, '')}/`))
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  });
}
