/** A process of `cluster.ts` with a controller that uses none of the rooms. Tells its CPU time in ms. */
import { once } from 'node:events';
import { MafaldaHorizontal } from 'mafalda-horizontal';

export interface BystanderState {
  cpu: number;
}

const mafalda = new MafaldaHorizontal(process.argv.slice(2));
await once(mafalda, 'connected');

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: (user + system) / 1000 } satisfies BystanderState);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
