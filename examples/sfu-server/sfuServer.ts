/** The example SFU server: the page, and the signalling for it. All that it knows of media is one Mafalda. */
import { access, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { MafaldaHorizontal } from 'mafalda-horizontal';
import { Server } from 'socket.io';
import { Rooms } from './room.ts';
import { serveSession, type SocketServer } from './session.ts';

export interface SfuServerOptions {
  mafalda: MafaldaHorizontal;
  port: number;
  host: string;
}

export interface SfuServer {
  /** What to open in a browser. */
  readonly url: string;
  /** Ends all calls, and tells the pages why. The Mafalda stays its owner's to close. */
  close(reason: string): Promise<void>;
}

const publicFolder = new URL('public/', import.meta.url);

/** The files of the page. Nothing else is served. */
const files = new Map([
  ['/', { name: 'index.html', type: 'text/html; charset=utf-8' }],
  ['/style.css', { name: 'style.css', type: 'text/css; charset=utf-8' }],
  ['/bundle.js', { name: 'bundle.js', type: 'text/javascript; charset=utf-8' }],
  ['/bundle.js.map', { name: 'bundle.js.map', type: 'application/json' }],
]);

/** Far more than any request of the page needs. */
const MAX_MESSAGE_BYTES = 100_000;

/** @throws if the port is taken, or the page has not been built */
export async function startSfuServer({ mafalda, port, host }: SfuServerOptions): Promise<SfuServer> {
  await assertBuilt();
  const http = createServer((request, response) => {
    servePage(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  const rooms = new Rooms(mafalda);
  const sockets: SocketServer = new Server(http, {
    serveClient: false,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    allowRequest: (request, decide) => decide(null, isFromThisServer(request)),
  });
  sockets.on('connection', socket => serveSession(socket, rooms));
  http.listen(port, host);
  await once(http, 'listening');
  return {
    url: urlOf(host, (http.address() as AddressInfo).port),
    close: async reason => {
      sockets.emit('ended', reason);
      // Closes the HTTP server too; browsers keep connections open that nobody uses at the moment.
      const closed = sockets.close();
      http.closeAllConnections();
      await closed;
      await rooms.close();
    },
  };
}

async function assertBuilt(): Promise<void> {
  try {
    await access(new URL('bundle.js', publicFolder));
  } catch {
    throw new Error("the page's bundle.js has not been built: run `npm run setup`");
  }
}

async function servePage({ url = '/', method }: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '/'] = url.split('?');
  const file = files.get(path);
  if (!file || method !== 'GET') {
    response.writeHead(404).end('not found');
    return;
  }
  const content = await readFile(new URL(file.name, publicFolder));
  response.writeHead(200, { 'Content-Type': file.type, 'Cache-Control': 'no-cache' }).end(content);
}

/** Browsers let pages of other sites open sockets to anywhere, and say where they come from: those must not listen in. */
function isFromThisServer({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}

/** Browsers give their camera and microphone to localhost, or to a page that comes through HTTPS. */
function urlOf(host: string, port: number): string {
  const isThisMachine = ['127.0.0.1', '0.0.0.0', '::1', '::'].includes(host);
  const name = isThisMachine ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
