/** `serve`: a media server, which is a Mafalda behind a RemoteMafaldaServer. */
import * as mediasoup from 'mediasoup';
import type { TransportListenInfo } from 'mediasoup/types';
import { isIPv6 } from 'node:net';
import { availableCores, availableMemory } from '../../api/resources.ts';
import { Mafalda, type MafaldaOptions } from '../../local/index.ts';
import { RemoteMafaldaServer, type RemoteMafaldaServerOptions } from '../../remote/index.ts';
import type { ExitCode } from '../exitCodes.ts';
import { adviceFor } from '../advice.ts';
import { describeListening, serverOptionsOf } from '../serverOptions.ts';
import { openDirectory } from '../openDirectory.ts';
import type { PortRange } from '../settings/setting.ts';
import type { serveSettings } from '../settings/serverSettings.ts';
import type { Values } from '../settings/readSettings.ts';
import { untilStopped } from '../untilStopped.ts';
import type { Terminal } from '../terminal.ts';

const GIGABYTE = 1e9;

/** Serves until a signal ends it. @returns the exit code */
export async function serve(values: Values<typeof serveSettings>, terminal: Terminal): Promise<ExitCode> {
  const mafalda = new Mafalda(mediasoup, mafaldaOptionsOf(values));
  mafalda.on('error', error => terminal.err(`error: ${error.message}`));
  const directory = await openDirectory(values, terminal);
  const { publicUrl, fanOut, watermarkFanOut } = values;
  const options: RemoteMafaldaServerOptions = {
    ...serverOptionsOf(values),
    ...addressesOf(values),
    directory,
    publicUrl,
    fanOut,
    watermarkFanOut,
  };
  const server = new RemoteMafaldaServer(mafalda, options);
  return untilStopped({ mafalda, server, directory, drainDeadline: values.drainDeadline, terminal }, () => {
    const { total } = availableMemory();
    terminal.out(`media server on ${describeListening(server, options)}, mediasoup ${mediasoup.version}`);
    terminal.out(`cores: ${availableCores()}, memory: ${(total / GIGABYTE).toFixed(1)} GB`);
    for (const advice of adviceFor(options, values)) terminal.err(`warning: ${advice}`);
  });
}

/** Returns the options of the Mafalda, which the names of the settings are but for those that stand for several. */
export function mafaldaOptionsOf(values: Values<typeof serveSettings>): MafaldaOptions {
  const { workers, workerBudget, mediaPorts, webRtcServerOptions, idlePipeTimeout } = values;
  const listenInfos = mediaPorts && listenInfosOf(values.announcedAddress, mediaPorts);
  return {
    ...addressesOf(values),
    workerBudget: (workers === undefined ? workerBudget : { max: workers }) as MafaldaOptions['workerBudget'],
    webRtcServerOptions: (listenInfos ? { listenInfos } : webRtcServerOptions) as MafaldaOptions['webRtcServerOptions'],
    idlePipeTimeout,
  };
}

function addressesOf(values: Values<typeof serveSettings>): MafaldaOptions {
  const { announcedAddress, listenInfos, listenIps, pipeListenInfo, pipePorts } = values;
  const [udp] = pipePorts ? listenInfosOf(announcedAddress, pipePorts) : [];
  return {
    announcedAddress,
    listenInfos: listenInfos as MafaldaOptions['listenInfos'],
    listenIps: listenIps as MafaldaOptions['listenIps'],
    pipeListenInfo: (udp ?? pipeListenInfo) as MafaldaOptions['pipeListenInfo'],
  };
}

/** Returns listening addresses for both protocols, UDP first, within a range of ports. */
function listenInfosOf(announcedAddress: string | undefined, portRange: PortRange): TransportListenInfo[] {
  const ip = isIPv6(announcedAddress ?? '') ? '::' : '0.0.0.0';
  return (['udp', 'tcp'] as const).map(protocol => ({ protocol, ip, announcedAddress, portRange }));
}
