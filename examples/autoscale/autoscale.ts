/**
 * Servers on demand, as real processes: begins with one media server; synthetic participants fill it, others are started; the
 * participants leave, the others are drained and stopped, and those who have stayed have lost no packet. Ends by itself; with
 * an exit code other than 0 if something did not go as it says.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MafaldaHorizontal } from 'mafalda-horizontal';
import { Autoscaler, ProcessProvisioner } from 'mafalda-horizontal/autoscale';
import { mediaCodecs, Participant } from './participant.ts';
import { LiveTable } from './liveTable.ts';

const SERVERS = 3;
const JOIN_INTERVAL_MS = 250;
const LEAVE_INTERVAL_MS = 800;
const MIN_PARTICIPANTS = 12;
const MAX_PARTICIPANTS = 60;
const STAYING = 2;
const TIMEOUT_MS = 100_000;
/** Time that packets have which are still on their way, in ms. */
const STRAGGLERS_MS = 1000;

const token = randomUUID();
const mafalda = new MafaldaHorizontal([], {
  token,
  // Real servers take more: here a few participants are enough to fill one.
  watermarkNode: 6,
});
const provisioner = new ProcessProvisioner(
  [process.execPath, '--import', 'tsx', fileURLToPath(new URL('mediaServer.ts', import.meta.url))],
  { env: { AUTOSCALE_TOKEN: token } },
);
const autoscaler = new Autoscaler(mafalda, provisioner, {
  min: 1,
  max: SERVERS,
  interval: 250,
  scaleInAfter: 4000,
  drainDeadline: 60_000,
});
autoscaler.on('error', error => console.error(error.message));

const participants: Participant[] = [];
const table = new LiveTable(mafalda, autoscaler, () => participants.length);
const timeout = AbortSignal.timeout(TIMEOUT_MS);
try {
  autoscaler.start();
  await once(mafalda, 'nodeconnected', { signal: timeout });
  table.say('the first media server is there');
  const room = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs } });

  const staying: Participant[] = [];
  for (let count = 0; count < STAYING; ++count) staying.push(await join());
  const [alice, bob] = staying as [Participant, Participant];
  const heard = { ofAlice: await bob.listen(alice), ofBob: await alice.listen(bob) };
  while (heard.ofAlice.size === 0 || heard.ofBob.size === 0) await setTimeout(20, undefined, { signal: timeout });
  const first = { alice: Math.min(...heard.ofAlice), bob: Math.min(...heard.ofBob) };

  table.say('participants come, and each one listens to another one');
  while (mafalda.size < SERVERS || participants.length < MIN_PARTICIPANTS) {
    assert.ok(participants.length < MAX_PARTICIPANTS, 'the servers must be full by now');
    const [previous] = participants.slice(-1);
    await (await join()).listen(previous!);
    await setTimeout(JOIN_INTERVAL_MS, undefined, { signal: timeout });
  }
  table.say(`there are ${SERVERS} servers: participants leave, all but the first two`);
  while (participants.length > STAYING) {
    for (const participant of participants.splice(STAYING, 1)) participant.leave();
    await setTimeout(LEAVE_INTERVAL_MS, undefined, { signal: timeout });
  }

  while ((await provisioner.list()).length > 1) await once(autoscaler, 'scalein', { signal: timeout });
  table.say('the servers that nobody is on any more are gone');

  const sent = { alice: alice.sent, bob: bob.sent };
  await setTimeout(STRAGGLERS_MS);
  const lost = missing(heard.ofAlice, first.alice, sent.alice) + missing(heard.ofBob, first.bob, sent.bob);
  const all = sent.alice - first.alice + sent.bob - first.bob;
  console.log(`\nThose who have stayed have heard each other all the time: ${lost} of ${all} packets were lost.`);
  assert.equal(lost, 0, 'nobody who stays may notice');

  async function join(): Promise<Participant> {
    const participant = await Participant.join(room);
    participants.push(participant);
    return participant;
  }
} finally {
  table.close();
  await autoscaler.stop();
  await mafalda.close();
  for (const { id } of await provisioner.list()) await provisioner.stop(id);
}

/** Number of packets that have not come, of those from one up to another. */
function missing(received: ReadonlySet<number>, from: number, to: number): number {
  let count = 0;
  for (let number = from; number < to; ++number) if (!received.has(number)) ++count;
  return count;
}
