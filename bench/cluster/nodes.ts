/** A process of `cluster.ts` with some nodes: each a Mafalda of a single Worker behind its server. */
import * as mediasoup from 'mediasoup';
import { Mafalda, RemoteMafaldaServer } from 'mafalda-horizontal';

export interface NodesState {
  /** CPU time of this process since its start, in ms; that of its Workers is not in it. */
  cpu: number;
  /** Number of MafaldaRouters that are open on all nodes of this process, without those that keep the Workers. */
  parts: number;
}

const [count = '1'] = process.argv.slice(2);
const nodes = await Promise.all(
  Array.from({ length: Number(count) }, async () => {
    const mafalda = new Mafalda(mediasoup, { workerBudget: false });
    const server = new RemoteMafaldaServer(mafalda, { host: '127.0.0.1', auth: false });
    await server.listen();
    // The Worker starts outside of the measurement, and stays.
    await mafalda.createMafaldaRouter({ maxWorkers: 1 }).createDirectTransport();
    return { mafalda, server };
  }),
);

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const parts = nodes.reduce((sum, { mafalda }) => sum + mafalda.mafaldaRouters.size - 1, 0);
  process.send?.({ cpu: (user + system) / 1000, parts } satisfies NodesState);
});
process.on('disconnect', () => process.exit());
process.send?.(nodes.map(({ server }) => server.url));
