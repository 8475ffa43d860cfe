/** One media server: a process with mediasoup Workers of its own, that others use through a port. start.ts starts three. */
import { networkInterfaces } from 'node:os';
import * as mediasoup from 'mediasoup';
import type { TransportListenInfo } from 'mediasoup/types';
import { Mafalda, RemoteMafaldaServer } from 'mafalda-horizontal';

/** What start.ts is told as soon as the server can be used. */
export interface MediaServerReady {
  url: string;
}

/** In case a Worker hangs. */
const CLOSE_TIMEOUT_MS = 3000;

const { MEDIA_SERVER_TOKEN: token, MEDIA_ADDRESS } = process.env;
if (!token) throw new Error('MEDIA_SERVER_TOKEN is not set: this is started by start.ts');

// The servers of the demo stand for machines: they don't share the cores of this one.
const mafalda = new Mafalda(mediasoup, { workerBudget: false });
const server = new RemoteMafaldaServer(mafalda, {
  host: '127.0.0.1',
  auth: token,
  listenInfos: mediaAddresses().flatMap((ip): TransportListenInfo[] => [
    { protocol: 'udp', ip },
    { protocol: 'tcp', ip },
  ]),
});

// Ctrl-C in a terminal reaches all processes, but calls have to be ended from above first. When start.ts has done that, or has
// died, its channel to us is closed.
process.on('SIGINT', () => undefined);
process.once('SIGTERM', close);
process.once('disconnect', close);
if (!process.connected) close();

await server.listen();
const ready: MediaServerReady = { url: server.url };
process.send?.(ready);

/** Where browsers reach the media: where it was said, or on this machine, by an address that every browser takes. */
function mediaAddresses(): string[] {
  if (MEDIA_ADDRESS) return [MEDIA_ADDRESS];
  const loopback = '127.0.0.1';
  // Firefox never uses the loopback address for media.
  const other = Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return other ? [loopback, other.address] : [loopback];
}

function close(): void {
  setTimeout(() => process.exit(1), CLOSE_TIMEOUT_MS).unref();
  server
    .close()
    .then(() => mafalda.close())
    .then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('closing a media server:', error);
        process.exit(1);
      },
    );
}
