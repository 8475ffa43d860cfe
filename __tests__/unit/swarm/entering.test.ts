/** A peer finds its swarm by any peer that it knows of, named or remembered, sooner or later. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { NodeUnavailableError } from '../../../src/index.ts';
import { host, swarmPeers, urlsOf } from '../../helpers/swarmPeers.ts';
import { until } from '../../helpers/until.ts';

const { begin, join } = swarmPeers();

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(joinPath(tmpdir(), 'mafalda-swarm-'))));
afterEach(() => rm(folder, { recursive: true }));

/** A UDP port that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>(resolve => socket.close(() => resolve()));
  return port;
}

test('a peer whose bootstraps are all dead says so, goes on trying, and is in as soon as one is there', async () => {
  const port = await freePort();
  const address = `${host}:${port}`;
  const early = await begin({ bootstrap: [address] });
  const [error] = (await once(early, 'error')) as [Error];
  expect(error).toBeInstanceOf(NodeUnavailableError);
  expect(error.message).toContain(`none of the peers that are named or remembered answers, which go on being tried`);
  expect(Object.keys((error as NodeUnavailableError).causes)).toEqual([address]);
  // Meanwhile the application works, with its own machine.
  const options = { id: 'room', routerOptions: { mediaCodecs: [] } };
  const producer = await (await early.createMafaldaRouter(options).createDirectTransport()).produceData();

  const late = await join(undefined, { port });
  await until('they know each other', () => urlsOf(early).includes(late.url) && urlsOf(late).includes(early.url));
  const listener = await late.createMafaldaRouter(options).createDirectTransport();
  expect((await listener.consumeData({ dataProducerId: producer.id })).closed).toBe(false);
});

test('a peer that is restarted finds the swarm by those that it remembers, when all that are named are dead', async () => {
  const peersFile = joinPath(folder, 'peers.json');
  const first = await join();
  const second = await join(first);
  const bootstrap = [await first.address()];
  const third = await join(first, { peersFile });
  const written = async (): Promise<string> => readFile(peersFile, 'utf8').catch(() => '');
  const address = await second.address();
  await until('the second is remembered', async () => (await written()).includes(address));
  await third.close();
  await first.close();
  const again = await begin({ bootstrap, peersFile });
  await until('it has found the second', () => urlsOf(again).join() === second.url);
});

test('a list of peers that is broken is told of, and ignored', async () => {
  const peersFile = joinPath(folder, 'peers.json');
  await writeFile(peersFile, '{"peers":');
  const first = await join();
  const second = await begin({ bootstrap: [await first.address()], peersFile });
  const [error] = (await once(second, 'error')) as [Error];
  expect(error.message).toContain(`the list of peers in ${peersFile} is ignored`);
  await until('it is in nevertheless', () => urlsOf(second).join() === first.url);
  const address = await first.address();
  await until('the list is written anew', async () => (await readFile(peersFile, 'utf8')).includes(address));
});

test('a peer is found by its name', async () => {
  const first = await join();
  const [, port] = (await first.address()).split(':');
  const second = await join(undefined, { bootstrap: [`localhost:${port}`] });
  await until('it is in', () => urlsOf(second).join() === first.url);
});
