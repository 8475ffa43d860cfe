/** Runs the same application on this machine, and on two media servers. Fails unless it does the same. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { holdConference } from './conference.ts';

const NAMES = ['Alice', 'Bob', 'Carol'];
const token = 'a token of your own';

const { mafalda: oneMachine } = await import('./media.oneMachine.ts');
const before = await holdConference(oneMachine, NAMES);
await oneMachine.close();
show('On this machine, with `Mafalda`', before);

const servers = [1, 2].map(() => fork(fileURLToPath(new URL('mediaServer.ts', import.meta.url)), [token]));
try {
  const urls = await Promise.all(servers.map(async server => ((await once(server, 'message')) as [string])[0]));
  process.env['MEDIA_SERVERS'] = urls.join(' ');
  process.env['MEDIA_TOKEN'] = token;
  const { mafalda: manyMachines } = await import('./media.manyMachines.ts');
  const after = await holdConference(manyMachines, NAMES);
  await manyMachines.close();
  show('On two media servers, with `MafaldaHorizontal`', after);
  assert.deepEqual(after, before);
} finally {
  for (const server of servers) server.kill('SIGTERM');
}

function show(title: string, lines: string[]): void {
  console.log(`${title}:`);
  for (const line of lines) console.log(`  ${line}`);
}
