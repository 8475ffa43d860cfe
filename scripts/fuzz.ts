/**
 * Tells a server, and a controller, anything but what they should be told. `npm run fuzz -- --messages 1000000 --seed N`
 *
 * Half of the messages go from clients to a server, half from servers to a controller. What is done follows from the seed, which is
 * printed, and printed again when something has failed.
 */
import { parseArgs } from 'node:util';
import { fuzzServer, type FuzzProgress } from '../__tests__/helpers/fuzz/clientToServer.ts';
import { fuzzClient } from '../__tests__/helpers/fuzz/serverToClient.ts';

/** What is done with one seed: a failure is found again in this time. */
const MESSAGES_PER_SEED = 20_000;
const REPORT_EVERY_MS = 5000;

const directions = { 'client-to-server': fuzzServer, 'server-to-client': fuzzClient } as const;
type Direction = keyof typeof directions;

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '100000' }, seed: { type: 'string' }, direction: { type: 'string' } },
});
const wanted = Number(values.messages);
const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (!Number.isSafeInteger(wanted) || wanted <= 0 || !Number.isSafeInteger(firstSeed))
  throw new TypeError('--messages and --seed must be integers');
const chosen = Object.keys(directions).filter(
  (name): name is Direction => values.direction === undefined || name === values.direction,
);
if (chosen.length === 0) throw new TypeError(`--direction must be one of ${Object.keys(directions).join(', ')}`);

console.log(`${wanted} messages, ${chosen.join(' and ')}, seed ${firstSeed}`);
const started = performance.now();
let done = 0;
let reportedAt = started;
let peak = 0;

function onProgress(direction: Direction, before: number, { messages, memory }: FuzzProgress): void {
  peak = Math.max(peak, memory);
  const now = performance.now();
  if (now - reportedAt < REPORT_EVERY_MS) return;
  reportedAt = now;
  const perSecond = Math.round((1000 * (before + messages)) / (now - started));
  console.log(`${before + messages} messages, ${perSecond} per second, ${Math.round(memory / 1e6)} MB (${direction})`);
}

for (let seed = firstSeed; done < wanted; ++seed) {
  for (const direction of chosen) {
    const share = Math.min(MESSAGES_PER_SEED, Math.ceil((wanted - done) / chosen.length));
    if (share <= 0) continue;
    const before = done;
    let sent = 0;
    try {
      await directions[direction](seed, share, progress => {
        sent = progress.messages;
        onProgress(direction, before, progress);
      });
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      console.error(`\nrepeat it with: npm run fuzz -- --messages ${share} --seed ${seed} --direction ${direction}`);
      process.exit(1);
    }
    done += sent;
  }
}
console.log(
  `${done} messages in ${Math.round((performance.now() - started) / 1000)} s, at most ${Math.round(peak / 1e6)} MB: nothing has failed`,
);
