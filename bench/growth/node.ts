/** The other process of `growth.ts` and `busy.ts`: a Mafalda behind its server, which fills rooms and tells how long its event loop was held up. */
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaServer } from 'mafalda-horizontal';
import { fill } from './fill.ts';
import { HeldMeter, type Held } from './held.ts';

export type Order =
  | { order: 'fill'; room: string; objects: number }
  | { order: 'reset' }
  | { order: 'held' }
  | { order: 'close'; room: string };

const mafalda = new Mafalda(mediasoup, { workerBudget: false });
const server = new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false, sessionTimeout: 5000 });
await server.listen();
const held = new HeldMeter();

process.on('message', (order: Order) => {
  void perform(order).then(result => process.send?.(result));
});

async function perform(order: Order): Promise<Held> {
  if (order.order === 'fill') await fill(mafalda.createMafaldaRouter({ id: order.room }), order.objects);
  else if (order.order === 'close') await mafalda.mafaldaRouters.get(order.room)?.close();
  else if (order.order === 'reset') held.reset();
  return held.read();
}

process.on('disconnect', () => process.exit());
process.send?.(server.url);
