/** The other process of `growth.ts` and `busy.ts`: a Mafalda behind its server, which fills rooms and tells how long its event loop was held up. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import * as mediasoup from 'mediasoup';
import type { DirectTransport } from 'mediasoup/types';
import { Mafalda, RemoteMafaldaServer } from 'mafalda-horizontal';

export type Order =
  | { order: 'fill'; room: string; objects: number }
  | { order: 'reset' }
  | { order: 'delay' }
  | { order: 'close'; room: string };

const PER_TRANSPORT = 500;
const AT_ONCE = 100;

const mafalda = new Mafalda(mediasoup, { workerBudget: false });
const server = new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false, sessionTimeout: 5000 });
await server.listen();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

async function fill(room: string, objects: number): Promise<void> {
  const mafaldaRouter = mafalda.createMafaldaRouter({ id: room });
  let transport: DirectTransport | undefined;
  for (let made = 0; made < objects; made += AT_ONCE) {
    if (!transport || made % PER_TRANSPORT === 0) transport = await mafaldaRouter.createDirectTransport();
    const target = transport;
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, objects - made) }, () => target.produceData()));
  }
}

process.on('message', (order: Order) => {
  void perform(order).then(result => process.send?.(result));
});

async function perform(order: Order): Promise<number> {
  if (order.order === 'fill') await fill(order.room, order.objects);
  else if (order.order === 'close') await mafalda.mafaldaRouters.get(order.room)?.close();
  else if (order.order === 'reset') delay.reset();
  return delay.max / 1e6;
}

process.on('disconnect', () => process.exit());
process.send?.(server.url);
