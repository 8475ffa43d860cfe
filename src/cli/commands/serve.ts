/** `serve`: a media server, which is a Mafalda behind a RemoteMafaldaServer. */
import * as mediasoup from 'mediasoup';
import type { TransportListenInfo } from 'mediasoup/types';
import { isIPv6 } from 'node:net';
import { availableCores, availableMemory } from '../../api/resources.ts';
import { Mafalda, type MafaldaOptions } from '../../local/index.ts';
import { RemoteMafaldaServer, type RemoteMafaldaServerOptions } from '../../remote/index.ts';
import type { ExitCode } from '../exitCodes.ts';
import type { AddressOptions } from '../../core/addresses/addresses.ts';
import { adviceFor } from '../advice.ts';
import { command } from '../command.ts';
import { describeListening, serverOptionsOf } from '../serverOptions.ts';
import { openDirectory } from '../openDirectory.ts';
import { argumentOf } from '../settings/names.ts';
import type { PortRange } from '../settings/portRange.ts';
import { mafaldaSource, serveSettings } from '../settings/serveSettings.ts';
import { optionsFrom, type Values } from '../settings/setting.ts';
import { untilStopped } from '../untilStopped.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usageError.ts';

const GIGABYTE = 1e9;

type ServeValues = Values<typeof serveSettings>;

export const serve = command({
  name: 'serve',
  summary: 'a media server: all cores of this machine, for controllers elsewhere',
  settings: serveSettings,
  examples: [
    {
      settings: {
        port: '4443',
        cert: 'cert.pem',
        key: 'key.pem',
        tokenFile: 'token',
        announcedAddress: '203.0.113.7',
        mediaPorts: '40000-40015',
        pipePorts: '40100-40355',
      },
    },
    { config: '/etc/mafalda/server.json', settings: { drainDeadline: '30m' } },
  ],
  run: (values, _operands, terminal) => serveUntilStopped(values, terminal),
});

async function serveUntilStopped(values: ServeValues, terminal: Terminal): Promise<ExitCode> {
  const mafalda = new Mafalda(mediasoup, mafaldaOptionsOf(values));
  mafalda.on('error', error => terminal.err(`error: ${error.message}`));
  const directory = await openDirectory(values, terminal);
  const options: RemoteMafaldaServerOptions = {
    ...serverOptionsOf(serveSettings, values),
    ...addressesOf(values),
    directory,
  };
  const server = new RemoteMafaldaServer(mafalda, options);
  return untilStopped({ mafalda, server, directory, drainDeadline: values.drainDeadline, terminal }, () => {
    const { total } = availableMemory();
    terminal.out(`media server on ${describeListening(server, options)}, mediasoup ${mediasoup.version}`);
    terminal.out(`cores: ${availableCores()}, memory: ${(total / GIGABYTE).toFixed(1)} GB`);
    for (const advice of adviceFor(options, values)) terminal.err(`warning: ${advice}`);
  });
}

/** @throws {UsageError} for a short form beside the option that it stands for */
export function mafaldaOptionsOf(values: ServeValues): MafaldaOptions {
  const { workers, mediaPorts, announcedAddress } = values;
  refuseBoth(values, 'workers', 'workerBudget');
  refuseBoth(values, 'mediaPorts', 'webRtcServerOptions');
  return {
    ...optionsFrom<MafaldaOptions>(mafaldaSource, serveSettings, values),
    ...addressesOf(values),
    ...(workers !== undefined && { workerBudget: { max: workers } }),
    ...(mediaPorts && { webRtcServerOptions: { listenInfos: listenInfosOf(announcedAddress, mediaPorts) } }),
  };
}

/** Returns the addresses of this machine, which its Mafalda and its server are both told. */
function addressesOf(values: ServeValues): AddressOptions {
  const { announcedAddress, listenInfos, listenIps, pipeListenInfo, pipePorts } = values;
  refuseBoth(values, 'pipePorts', 'pipeListenInfo');
  const [udp] = pipePorts ? listenInfosOf(announcedAddress, pipePorts) : [];
  return { announcedAddress, listenInfos, listenIps, pipeListenInfo: udp ?? pipeListenInfo };
}

function refuseBoth(values: ServeValues, short: keyof ServeValues, long: keyof ServeValues): void {
  if (values[short] === undefined || values[long] === undefined) return;
  throw new UsageError(`${argumentOf(short)} is short for ${argumentOf(long)}: give one of them`);
}

/** Returns listening addresses for both protocols, UDP first, within a range of ports. */
function listenInfosOf(announcedAddress: string | undefined, portRange: PortRange): TransportListenInfo[] {
  const ip = isIPv6(announcedAddress ?? '') ? '::' : '0.0.0.0';
  return (['udp', 'tcp'] as const).map(protocol => ({ protocol, ip, announcedAddress, portRange }));
}
