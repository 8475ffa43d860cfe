/** Does `npm start` work? Starts it, asks it what a page asks it, and ends it, in well under a minute. For CI. */
import assert from 'node:assert/strict';
import { io, type Socket } from 'socket.io-client';
import { ExampleProcess } from './exampleProcess.ts';
import type { PageRequests, ServerEvents } from './signalling.ts';

const TIMEOUT_MS = 60_000;

const example = new ExampleProcess({ MEDIA_ADDRESS: '127.0.0.1' });
const timeout = setTimeout(() => void fail(new Error(`not ready after ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
smoke()
  .catch(fail)
  .finally(() => clearTimeout(timeout));

async function smoke(): Promise<void> {
  const url = await example.url();
  console.log(`it is there: ${url}`);

  for (const [path, content] of Object.entries({
    '/': '<title>',
    '/style.css': '.tile',
    '/bundle.js': 'getUserMedia',
  })) {
    const response = await fetch(url + path);
    assert.equal(response.status, 200, path);
    assert.ok((await response.text()).includes(content), `${path} must contain ${content}`);
  }
  assert.equal((await fetch(`${url}/start.ts`)).status, 404, 'nothing but the page may be served');
  console.log('the page can be loaded');

  const socket: Socket<ServerEvents, PageRequests> = io(url, { transports: ['websocket'] });
  await signal(socket);
  socket.disconnect();
  console.log('signalling works');

  assert.deepEqual(await example.stop('SIGINT'), [], 'SIGINT must end all processes');
  assert.equal(example.exitCode, 0, 'it must end well');
  console.log('nothing is left after SIGINT');
}

async function signal(socket: Socket<ServerEvents, PageRequests>): Promise<void> {
  const early = await socket.emitWithAck('createTransport', { direction: 'send' });
  assert.match(early.error ?? '', /join a room first/);
  const nameless = await socket.emitWithAck('join', { room: 'smoke', name: ' ' });
  assert.match(nameless.error ?? '', /the name is missing/);

  assert.deepEqual(await socket.emitWithAck('join', { room: 'smoke', name: 'Smoke' }), { result: [] });
  const capabilities = await socket.emitWithAck('getRtpCapabilities', {});
  assert.ok(capabilities.error === undefined, capabilities.error);
  assert.ok(
    capabilities.result.codecs?.some(({ mimeType }) => mimeType === 'video/VP8'),
    'it must offer VP8',
  );

  const servers = new Set<string>();
  for (const direction of ['send', 'recv'] as const) {
    const transport = await socket.emitWithAck('createTransport', { direction });
    assert.ok(transport.error === undefined, transport.error);
    assert.ok(transport.result.iceCandidates.length > 0, 'the media server must fill in its addresses');
    servers.add(transport.result.server);
  }
  assert.equal(servers.size, 1, 'the transports of one person must be on one server');

  const consumer = await socket.emitWithAck('consume', { producerId: 'nobody', rtpCapabilities: capabilities.result });
  assert.match(consumer.error ?? '', /nobody/);
}

async function fail(error: unknown): Promise<void> {
  console.error('smoke test failed:', error);
  console.error(`the example printed:\n${example.output}`);
  await example.stop('SIGKILL');
  process.exit(1);
}
