/** A client as a process of its own, which makes a Transport, tells its parent what becomes of it, and makes another one then. */
import { once } from 'node:events';
import { RemoteMafaldaClient } from '../../src/index.ts';

const client = new RemoteMafaldaClient(process.argv[2]);
const tell = (what: string): void => void process.send!(what);
process.on('disconnect', () => process.exit());
await once(client, 'connected');
const mafaldaRouter = client.createMafaldaRouter();
const transport = await mafaldaRouter.createDirectTransport();
transport.on('routerclose', () => tell('routerclose'));
mafaldaRouter.on('close', () => {
  tell('close');
  client
    .createMafaldaRouter()
    .createDirectTransport()
    .then(
      () => tell('again'),
      (error: Error) => tell(error.message),
    );
});
tell('ready');
