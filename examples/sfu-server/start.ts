/**
 * The whole demo on one machine: three media servers as processes of their own, and the example SFU server over them.
 *
 * Environment: PORT (default 3000) and HOST (default 127.0.0.1) of the page, MEDIA_ADDRESS for the media (see the README).
 */
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MafaldaHorizontal, type Strategy } from 'mafalda-horizontal';
import type { MediaServerReady } from './mediaServer.ts';
import { startSfuServer, type SfuServer } from './sfuServer.ts';

const MEDIA_SERVERS = 3;
const DEFAULT_PORT = 3000;
/** For a media server that does not go by itself. */
const KILL_TIMEOUT_MS = 5000;
const PARENT_CHECK_INTERVAL_MS = 500;

/**
 * For the demo only: each person goes to the server with the least to do, whatever pipes that takes, so that there is something to see. The
 * library's own strategies keep a room together as long as there is room: without this one everybody would be on the first server.
 */
const spread: Strategy = servers =>
  [...servers].sort((a, b) => (b.near ?? 0) - (a.near ?? 0) || a.load - b.load || a.placed - b.placed)[0];

const { PORT, HOST = '127.0.0.1' } = process.env;
/** Known to this process and to the media servers only. By the environment: everybody can read the arguments of a process. */
const token = randomBytes(32).toString('hex');
const mediaServers = new Set<ChildProcess>();
let mafalda: MafaldaHorizontal | undefined;
let sfuServer: SfuServer | undefined;
const stopping = new AbortController();

// Only once: a second Ctrl-C ends this process at once. The media servers notice that, and go too.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void stop('it has been stopped'));

// npm passes on what it is told, but when it is killed nobody tells us.
if (process.env['npm_lifecycle_event']) {
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || void stop('it has been stopped'), PARENT_CHECK_INTERVAL_MS).unref();
}

start().catch((error: unknown) => {
  if (!stopping.signal.aborted)
    void fail(`The demo can't start: ${error instanceof Error ? error.message : String(error)}`);
});

async function start(): Promise<void> {
  const urls = await Promise.all(
    Array.from({ length: MEDIA_SERVERS }, (_, index) => startMediaServer(`server ${index + 1}`)),
  );
  stopping.signal.throwIfAborted();

  const nodes = new MafaldaHorizontal(urls, { token, strategy: spread });
  mafalda = nodes;
  nodes.on('error', error => console.error(error.message));
  await once(nodes, 'connected', { signal: stopping.signal });

  sfuServer = await listen(nodes);
  if (stopping.signal.aborted) return sfuServer.close('it has been stopped');
  console.log('\nOpen this in two windows of your browser, and join the same room in both:');
  console.log(`\n  ${sfuServer.url}\n\nCtrl-C ends everything.`);
}

/** @returns its URL */
async function startMediaServer(name: string): Promise<string> {
  const child = fork(fileURLToPath(new URL('mediaServer.ts', import.meta.url)), {
    env: { ...process.env, MEDIA_SERVER_TOKEN: token },
  });
  mediaServers.add(child);
  const died = once(child, 'exit')
    .then(([code, signal]): never => {
      throw new Error(`${name} has stopped (${signal ?? `exit code ${code}`})`);
    })
    .finally(() => mediaServers.delete(child));
  const [{ url }] = (await Promise.race([once(child, 'message'), died])) as [MediaServerReady];
  console.log(`${name} is process ${child.pid}, at ${url}`);
  died.catch((error: Error) => onMediaServerGone(url, error.message));
  return url;
}

/** Its calls go on: those who were there join again, and land on servers that are left. */
function onMediaServerGone(url: string, message: string): void {
  if (stopping.signal.aborted) return;
  console.error(message);
  mafalda?.delete(url);
  if (mediaServers.size === 0) void fail('there is no media server left');
}

async function listen(nodes: MafaldaHorizontal): Promise<SfuServer> {
  const port = Number(PORT ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error(`PORT is "${PORT}": it must be a number up to 65535`);
  try {
    return await startSfuServer({ mafalda: nodes, host: HOST, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (PORT)
      throw new Error(`port ${port} is taken: set PORT to another one, or to 0 for any that is free`, { cause: error });
    return startSfuServer({ mafalda: nodes, host: HOST, port: 0 });
  }
}

async function fail(message: string): Promise<void> {
  console.error(message);
  process.exitCode = 1;
  await stop(message);
}

/** Leaves nothing behind: with all of that closed, this process ends by itself. */
async function stop(reason: string): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort();
  await sfuServer?.close(reason);
  await mafalda?.close();
  await Promise.all([...mediaServers].map(stopMediaServer));
}

async function stopMediaServer(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  const timeout = setTimeout(() => child.kill('SIGKILL'), KILL_TIMEOUT_MS);
  if (child.connected) child.disconnect();
  await exit;
  clearTimeout(timeout);
}
