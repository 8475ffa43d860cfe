/**
 * An application as the guides show it, with what a strict compiler (`exactOptionalPropertyTypes`) asks most of: values that may be undefined, such as
 * those of the environment. `package.test.ts` compiles it by all ways in which TypeScript finds packages; it is never run.
 */
import * as mediasoup from 'mediasoup';
import MafaldaByDefault, {
  concentrate,
  Mafalda,
  MafaldaHorizontal,
  RemoteMafaldaClient,
  RemoteMafaldaServer,
  type MafaldaRouter,
  type RemoteMafaldaServerOptions,
  type Strategy,
} from 'mafalda-horizontal';
import { NodeUnavailableError } from 'mafalda-horizontal/errors';
import { Mafalda as Vertical } from 'mafalda-horizontal/mafalda';
import * as overServers from 'mafalda-horizontal/mediasoup';
import { RemoteMafaldaClient as Client } from 'mafalda-horizontal/remote';

const { MAFALDA_TOKEN: token, REGION: region, ADDRESS: announcedAddress, NAME: name, CA: ca } = process.env;
const maybe: number | undefined = Number(process.env['NUMBER']) || undefined;

/** A type that the compiler could not find would be `any`, silently. */
type IsAny<T> = 0 extends 1 & T ? true : false;
type CreateRouter = ReturnType<MafaldaHorizontal['createMafaldaRouter']>;
type Transport = Awaited<ReturnType<MafaldaRouter['createWebRtcTransport']>>;
export const anything: [IsAny<CreateRouter>, IsAny<Transport>, IsAny<Transport['iceParameters']>] = [
  false,
  false,
  false,
];
export const found: readonly unknown[] = [MafaldaByDefault, Vertical, Client, overServers.createWorker];

export function mediaServer(auth: string): RemoteMafaldaServer {
  const mafalda = new Mafalda(mediasoup, { announcedAddress, idlePipeTimeout: maybe, workerBudget: { max: maybe } });
  const options: RemoteMafaldaServerOptions = { auth, announcedAddress, region, port: maybe, limits: { clients: 5 } };
  options.ca = ca;
  return new RemoteMafaldaServer(mafalda, options);
}

export async function controller(urls: string[], strategy: Strategy | undefined): Promise<mediasoup.types.Consumer> {
  const mafalda = new MafaldaHorizontal(urls, { token, name, ca, strategy, watermarkNode: maybe, callTimeout: maybe });
  mafalda.strategy = strategy ?? concentrate;
  mafalda.on('connecterror', ({ url, error }) => console.error(url, error.message));
  const router = mafalda.createMafaldaRouter({ maxWorkers: maybe, routerOptions: { mediaCodecs: [] } });
  const transport = await router.createWebRtcTransport({ enableSctp: true, placement: { region, near: [] } });
  const rtpCapabilities = await router.getRtpCapabilities();
  try {
    return await transport.consume({ producerId: 'id', rtpCapabilities });
  } catch (error) {
    if (error instanceof NodeUnavailableError) console.error(error.causes);
    throw error;
  } finally {
    await mafalda.drain(urls[0]!, { deadline: maybe });
  }
}

export const client = new RemoteMafaldaClient(process.env['URL'], { token, sessionTimeout: maybe });
