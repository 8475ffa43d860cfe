/**
 * A media server that borrows: an application with mediasoup in its own process, which uses a cluster when its own machine is full.
 * Ends by itself; with an exit code other than 0 if something did not go as it says.
 */
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as mediasoup from 'mediasoup';
import type { PipeTransport } from 'mediasoup/types';
import { Mafalda, MafaldaHorizontal } from 'mafalda-horizontal';
import { Person } from './person.ts';
import type { ServerSetup } from './server.ts';

const TIMEOUT_MS = 60_000;
/** Percent, so that a few people are enough: the default is 66. */
const WATERMARK = 4;
const MAX_PEOPLE = 1000;

/** All of 127.0.0.0/8 is this machine: each server gets an address of its own, as if it were on one of its own. */
const HOME = '127.0.4.1';
const MEDIA_SERVERS = ['127.0.5.1', '127.0.5.2'];
const CENTRAL = '127.0.5.100';

const token = randomUUID();
const processes: ChildProcess[] = [];

const timeout = setTimeout(() => {
  console.error(`not done after ${TIMEOUT_MS} ms`);
  for (const child of processes) child.kill('SIGKILL');
  process.exit(1);
}, TIMEOUT_MS);
try {
  const below = await Promise.all(MEDIA_SERVERS.map(address => start({ address })));
  const central = await start({ address: CENTRAL, below });
  const own = new Mafalda(mediasoup, { workerBudget: false, listenInfos: [{ protocol: 'udp', ip: HOME }] });
  const mafalda = new MafaldaHorizontal([own, central], { token, watermarkNode: WATERMARK });
  try {
    await once(mafalda, 'connected');
    await run(own, mafalda);
  } finally {
    await mafalda.close();
    await own.close();
  }
} finally {
  clearTimeout(timeout);
  // From above: no server loses another one that it still uses.
  for (const child of processes.reverse()) await stop(child);
}

async function run(own: Mafalda, mafalda: MafaldaHorizontal): Promise<void> {
  const room = mafalda.createMafaldaRouter({
    routerOptions: { mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }] },
  });
  const isHome = ({ transport }: Person): boolean => mafalda.nodeOf(transport) === own;

  const people = [await Person.join(room)];
  while (people.every(isHome)) {
    assert.ok(people.length < MAX_PEOPLE, 'the own machine is never full');
    people.push(await Person.join(room));
  }
  const [first, last] = [people[0]!, people.at(-1)!];
  console.log(
    `${people.length - 1} people are on the own machine, ${HOME}. Then it is full: the next one is on the cluster.`,
  );

  console.log(`The first one speaks, the last one hears ${await first.say(last)} % of it.`);
  console.log(`The last one speaks, the first one hears ${await last.say(first)} % of it.`);
  const links = [...own.transports.values()].filter(({ type }) => type === 'pipe') as PipeTransport[];
  assert.ok(links.length > 0);
  for (const { tuple } of links) {
    console.log(
      `Media runs straight between ${tuple.localAddress} and ${tuple.remoteIp}; the central server is ${CENTRAL}.`,
    );
    assert.equal(tuple.localAddress, HOME);
    assert.ok(MEDIA_SERVERS.includes(tuple.remoteIp!));
  }

  for (const person of people.filter(isHome)) person.transport.close();
  let newcomer = await Person.join(room);
  // For a second or two the own machine still counts what it has had.
  for (let tries = 1; !isHome(newcomer) && tries < MAX_PEOPLE; ++tries) {
    newcomer.transport.close();
    await new Promise(resolve => setTimeout(resolve, 100));
    newcomer = await Person.join(room);
  }
  assert.ok(isHome(newcomer), 'there is room at home, but it is not used');
  console.log('Those on the own machine have left, so it has room, and the next one is there again.');
  console.log(`The cluster’s speaks, and the newcomer hears ${await last.say(newcomer)} % of it.`);
}

async function start(setup: ServerSetup): Promise<string> {
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [JSON.stringify(setup)], {
    execArgv: ['--import', 'tsx'],
    // Not among the arguments, which everybody on the machine can read.
    env: { ...process.env, BORROW_TOKEN: token },
  });
  processes.push(child);
  const ended = once(child, 'exit').then((): never => {
    throw new Error(`the server at ${setup.address} ended`);
  });
  ended.catch(() => undefined);
  const [url] = (await Promise.race([once(child, 'message'), ended])) as [string];
  return url;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
