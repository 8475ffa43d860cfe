/**
 * Takes a media server out of use while people are on it: two servers and a room, in one process. Ends by itself; with an exit code
 * other than 0 if something did not go as it says.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import { Mafalda, MafaldaHorizontal, RemoteMafaldaServer, type MafaldaApi, type Strategy } from 'mafalda-horizontal';
import { Person } from './person.ts';

const DEADLINE_MS = 1000;

// Each stands for a machine of its own: they don't share the cores of this one.
const machines = [1, 2].map(() => new Mafalda(mediasoup, { workerBudget: false }));
const servers = machines.map(machine => new RemoteMafaldaServer(machine, { host: '127.0.0.1', auth: false }));
for (const server of servers) await server.listen();
const [first, second] = servers.map(({ url }) => url) as [string, string];

// So that both are in use from the beginning; with the library's own strategies, the second one would be used when the first one is full.
const spread: Strategy = nodes => [...nodes].sort((a, b) => a.load - b.load || a.placed - b.placed)[0];
const mafalda = new MafaldaHorizontal([first, second], { strategy: spread });
await once(mafalda, 'connected');
const room = mafalda.createMafaldaRouter();

try {
  const people: Person[] = [];
  for (const name of ['Alice', 'Bob', 'Carol', 'Dave']) people.push(await Person.join(room, name, people));
  show('Everybody is there', people);
  await chat(people);

  console.log(`\nServer 1 is drained, within ${DEADLINE_MS} ms: nothing new lands there.`);
  const drained = mafalda.drain(first, { deadline: DEADLINE_MS });
  const [mover, stayer] = people.filter(person => serverOf(person) === 1) as [Person, Person];
  console.log(`${mover.name} is asked to move, and does. ${stayer.name} doesn't react.`);
  await mover.move(people);
  const late = await Person.join(room, 'Erin', people);
  people.push(late);
  assert.deepEqual([serverOf(mover), serverOf(late)], [2, 2], 'a new transport must be on the other server');

  const left = await drained;
  const names = left.transports.map(transport => people.find(person => person.transport === transport)?.name);
  console.log(`\nThe deadline has passed. Still on server 1: ${names.join(', ')}.`);
  assert.deepEqual(names, [stayer.name]);
  show('Nobody was cut off', people);
  await chat(people);

  console.log('\nServer 1 is deleted: what is left there closes, with events, and whoever hears them can come back.');
  const closed = once(stayer.transport.observer, 'close');
  mafalda.delete(first);
  await closed;
  await stayer.move(people);
  show('Server 1 can be switched off', people);
  await chat(people);
  assert.ok(people.every(person => serverOf(person) === 2));
} finally {
  await mafalda.close();
  for (const server of servers) await server.close();
  for (const machine of machines) await machine.close();
}

function serverOf({ transport }: Person): number {
  const node = mafalda.nodeOf(transport) as MafaldaApi & { url: string };
  return node.url === first ? 1 : 2;
}

function show(title: string, people: Person[]): void {
  console.log(`\n${title}:`);
  for (const person of people) console.log(`  ${person.name.padEnd(6)} is on server ${serverOf(person)}`);
}

/** Everybody says something, and everybody else must hear it. */
async function chat(people: Person[]): Promise<void> {
  for (const speaker of people) await speaker.say(people.filter(person => person !== speaker));
  console.log('  and everybody hears everybody');
}
