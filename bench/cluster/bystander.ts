/** A process of `cluster.ts` with a controller that uses none of the rooms. Tells its CPU time in ms, and how many rooms it knows. */
import { once } from 'node:events';
import { MafaldaHorizontal } from 'mafalda-horizontal';
import type { RoomFinder } from '../../src/base/roomFinder.ts';

export interface BystanderState {
  cpu: number;
  rooms: number;
}

const mafalda = new MafaldaHorizontal(process.argv.slice(2));
await once(mafalda, 'connected');
// The layers of the package see it; applications don't.
const { heldRooms } = mafalda as MafaldaHorizontal & Pick<RoomFinder, 'heldRooms'>;
await heldRooms.known;

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: (user + system) / 1000, rooms: heldRooms.size } satisfies BystanderState);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
