/**
 * A cluster of 1,000 servers, simulated: placement, admission, pipes and directory are the real code, on servers and a network that exist
 * only here, in a time that passes as fast as the CPU allows.
 *
 *     npm run bench:simulation                   both parts, in full: about ten minutes
 *     npm run bench:simulation -- rooms 0.1      one part, with a tenth of the servers, controllers, rooms and viewers
 *
 * *broadcast*: one stream, whose viewers come by all controllers. Of each strategy: how many servers are used, the pipes between them beside
 * the fewest that there could be (one for each further server), pipes that were made *in vain* since another controller was faster, through
 * how many pipes the stream comes to a server, the load of the fullest server, and what the servers are asked.
 *
 * *rooms*: many rooms, while servers come and go. What the servers tell controllers, how long these disagree, and what one has to remember.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { concentrate, leastLoaded, twoChoices } from '../../src/placement/strategies.ts';
import { draw, type Row } from '../draw.ts';
import { simulateBroadcast, type BroadcastResult } from './broadcast.ts';
import { simulateRooms, type RoomsResult } from './rooms.ts';

const PICTURE = new URL('../../docs/images/simulation.svg', import.meta.url);
const parts = ['broadcast', 'rooms'];
const args = process.argv.slice(2);
const chosen = parts.filter(part => args.includes(part));
const share = Number(args.find(arg => !parts.includes(arg)) ?? 1);
if (!(share > 0 && share <= 1)) throw new TypeError('the share of the whole must be more than 0, and 1 at most');

const strategies = { concentrate, leastLoaded, twoChoices };
const setup = { servers: Math.ceil(1000 * share), controllers: Math.ceil(50 * share) };

if (chosen.length === 0 || chosen.includes('broadcast')) await broadcast();
if (chosen.length === 0 || chosen.includes('rooms')) await rooms();

async function broadcast(): Promise<void> {
  const whole = { ...setup, viewers: Math.ceil(100_000 * share), within: 60_000 };
  console.log(
    `\nOne broadcast: ${whole.viewers} viewers within ${whole.within / 1000} s, ${whole.servers} servers, ${whole.controllers} controllers\n`,
  );
  const results: Record<string, BroadcastResult> = {};
  for (const [name, strategy] of Object.entries(strategies)) {
    const took = stopwatch();
    results[name] = await simulateBroadcast({ ...whole, strategy });
    console.error(`${name}: simulated in ${took()} s`);
  }
  const columns: [string, (result: BroadcastResult) => string][] = [
    ['viewers', ({ viewers }) => String(viewers)],
    ['not taken', ({ failed }) => String(failed)],
    ['servers used', ({ serversUsed }) => String(serversUsed)],
    ['pipes', ({ pipes }) => String(pipes)],
    ['fewest possible', ({ serversUsed }) => String(serversUsed - 1)],
    ['made in vain', ({ inVain }) => String(inVain)],
    ['pipes to a server: mean', ({ depth }) => depth.mean.toFixed(2)],
    ['most', ({ depth }) => String(depth.max)],
    ['most from one server', ({ mostFromOneServer }) => String(mostFromOneServer)],
    ['fullest server', ({ worstLoad }) => `${worstLoad.toFixed(0)} %`],
    ['calls for a viewer', ({ callsPerViewer }) => callsPerViewer.toFixed(3)],
    ['refused', ({ refused }) => String(refused)],
    ['slowest join', ({ slowest }) => `${slowest} ms`],
  ];
  print(results, columns);
  if (share < 1) return;
  await mkdir(new URL('.', PICTURE), { recursive: true });
  await writeFile(PICTURE, drawBroadcasts(results));
}

async function rooms(): Promise<void> {
  const whole = { ...setup, rooms: Math.ceil(100_000 * share), within: 120_000, churn: 5000 };
  console.log(
    `\n${whole.rooms} rooms begin within ${whole.within / 1000} s, ${whole.servers} servers, ${whole.controllers} controllers; each ${whole.churn / 1000} s a server goes, and another one comes\n`,
  );
  const took = stopwatch();
  const result = await simulateRooms({ ...whole, strategy: concentrate });
  console.error(`simulated in ${took()} s`);
  const columns: [string, (result: RoomsResult) => string][] = [
    ['joins', ({ people }) => String(people)],
    ['not taken', ({ failed }) => String(failed)],
    ['refused, and taken elsewhere', ({ refused }) => String(refused)],
    ['servers used', ({ serversUsed }) => String(serversUsed)],
    ['servers for a room', ({ serversPerRoom }) => serversPerRoom.toFixed(2)],
    ['fullest server', ({ worstLoad }) => `${worstLoad.toFixed(0)} %`],
    ['directory: messages for a room, to all controllers', ({ messagesPerRoom }) => messagesPerRoom.toFixed(1)],
    ['directory: bytes for a room, to all controllers', ({ bytesPerRoom }) => bytesPerRoom.toFixed(0)],
    ['a server sends: directory', ({ serverSends }) => `${serverSends.directory.toFixed(1)} kB/s`],
    ['a server sends: load', ({ serverSends }) => `${serverSends.load.toFixed(1)} kB/s`],
    ['a controller gets: directory', ({ controllerGets }) => `${controllerGets.directory.toFixed(1)} kB/s`],
    ['a controller gets: load', ({ controllerGets }) => `${controllerGets.load.toFixed(1)} kB/s`],
    ['two controllers disagree on who holds a room, at most', ({ disagreement }) => `${disagreement} ms`],
    ['all controllers know a new server', ({ newServerKnown }) => `${newServerKnown} ms`],
    ['heap of a controller at rest', ({ heap }) => `${heap.atRest.toFixed(1)} MB`],
    ['heap of a controller that knows who holds each room', ({ heap }) => `${heap.withRooms.toFixed(1)} MB`],
  ];
  print({ concentrate: result }, columns);
}

/** Prints a table in Markdown, for the page. */
function print<Result>(
  results: Readonly<Record<string, Result>>,
  columns: readonly [string, (result: Result) => string][],
): void {
  console.log(`| | ${Object.keys(results).join(' | ')} |`);
  console.log(
    `|---|${Object.keys(results)
      .map(() => '---|')
      .join('')}`,
  );
  for (const [what, show] of columns) console.log(`| ${what} | ${Object.values(results).map(show).join(' | ')} |`);
}

function drawBroadcasts(results: Readonly<Record<string, BroadcastResult>>): string {
  const figures: [string, (result: BroadcastResult) => number][] = [
    ['servers used, of 100', ({ serversUsed }) => serversUsed / 100],
    ['pipes ÷ fewest possible', ({ pipes, serversUsed }) => pipes / (serversUsed - 1)],
    ['pipes to a server, mean', ({ depth }) => depth.mean],
    ['pipes to a server, most', ({ depth }) => depth.max],
    ['load of the fullest server ÷ 100 %', ({ worstLoad }) => worstLoad / 100],
    ['calls for a viewer', ({ callsPerViewer }) => callsPerViewer],
  ];
  const rows: Row[] = figures.map(([what, figure]) => ({
    what,
    bars: Object.entries(results).map(([way, result]) => ({
      way,
      value: figure(result),
      label: figure(result).toFixed(2),
    })),
  }));
  const max = Math.max(...rows.flatMap(({ bars }) => bars.map(({ value }) => value)));
  return draw(rows, {
    title: 'Simulated: 100,000 viewers of one stream come to 1,000 servers within a minute, by 50 controllers',
    max,
    left: 240,
    ways: Object.keys(results),
  });
}

function stopwatch(): () => string {
  const begun = performance.now();
  return () => ((performance.now() - begun) / 1000).toFixed(0);
}
