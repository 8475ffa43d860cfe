/** Checks of this machine, with the settings that `serve` would have. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { on, once } from 'node:events';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import * as mediasoup from 'mediasoup';
import { availableCores, availableMemory } from '../../api/resources.ts';
import { Mafalda } from '../../local/index.ts';
import { expiryOf, openFilesLimit } from '../advice.ts';
import type { PortRange } from '../settings/portRange.ts';
import { ok, problem, warning, type Check, type Finding } from './check.ts';

/** Settings of `serve` that are looked at. */
export interface LocalValues {
  port?: number;
  host?: string;
  cert?: string | Buffer;
  key?: string | Buffer;
  announcedAddress?: string;
  mediaPorts?: PortRange;
  pipePorts?: PortRange;
}

const LEAST_NODE_MAJOR = 22;
/** Memory that a media server with few rooms uses, in bytes. */
const LEAST_MEMORY = 512e6;
const COMMAND_TIMEOUT_MS = 3000;
/** Time for a packet to come back to this machine, in ms. */
const RETURN_TIMEOUT_MS = 1000;

export function localChecks({ port, host, cert, announcedAddress, mediaPorts, pipePorts }: LocalValues): Check[] {
  return [
    { name: 'Node.js', run: async () => checkNode(process.versions.node) },
    { name: 'mediasoup’s Worker', run: checkWorker },
    { name: 'cores and memory', run: async () => checkResources() },
    { name: 'open files', run: async () => checkOpenFiles() },
    { name: 'clock', run: checkClock },
    ...(port === undefined ? [] : [{ name: `TCP port ${port}`, run: () => checkTcp(port, host) }]),
    ...(mediaPorts ? [{ name: 'media ports', run: () => checkUdp(mediaPorts) }] : []),
    ...(pipePorts ? [{ name: 'pipe ports', run: () => checkUdp(pipePorts) }] : []),
    { name: 'announced address', run: () => checkAddress(announcedAddress, mediaPorts) },
    ...(cert === undefined ? [] : [{ name: 'certificate', run: async () => checkCertificate(cert) }]),
  ];
}

export function checkNode(version: string): Finding {
  const isSupported = Number(version.split('.')[0]) >= LEAST_NODE_MAJOR;
  return isSupported ? ok(version) : warning(`${version}: mediasoup supports Node.js ${LEAST_NODE_MAJOR} and later`);
}

async function checkWorker(): Promise<Finding> {
  const mafalda = new Mafalda(mediasoup, { workerBudget: false });
  try {
    await mafalda.ensureWorker();
    return ok(`mediasoup ${mediasoup.version} starts ${mediasoup.workerBin}`);
  } catch (error) {
    return problem((error as Error).message);
  } finally {
    await mafalda.close();
  }
}

function checkResources(): Finding {
  const { total, free } = availableMemory();
  const text = `${availableCores()} cores, ${(total / 1e9).toFixed(1)} GB, of which ${(free / 1e9).toFixed(1)} GB are free`;
  return free < LEAST_MEMORY ? warning(`${text}: too little for a busy server`) : ok(text);
}

function checkOpenFiles(): Finding {
  const limit = openFilesLimit();
  if (limit === undefined) return ok('no limit that this process can see');
  return limit < 4096
    ? warning(`${limit}: a busy server needs more (systemd: LimitNOFILE=, shell: ulimit -n)`)
    : ok(String(limit));
}

/** Asks systemd, where there is one: a wrong clock makes certificates invalid, and logs useless. */
async function checkClock(): Promise<Finding> {
  try {
    const asked = promisify(execFile)('timedatectl', ['show', '--property=NTPSynchronized', '--value'], {
      timeout: COMMAND_TIMEOUT_MS,
    });
    const { stdout } = await asked;
    return stdout.trim() === 'yes'
      ? ok('is synchronized')
      : warning(
          `is not synchronized, or by something that systemd does not know; it is ${new Date().toISOString()} here`,
        );
  } catch {
    return warning(`whether it is synchronized is not known here: it is ${new Date().toISOString()}`);
  }
}

async function checkTcp(port: number, host: string | undefined): Promise<Finding> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
    return ok('is free');
  } catch (error) {
    return problem(`${(error as Error).message}: another program has it, or it needs more rights`);
  } finally {
    server.close();
  }
}

/** Binds each port of a range over UDP. Whether a firewall lets packets through can be seen from outside only. */
async function checkUdp({ min, max }: PortRange): Promise<Finding> {
  const taken: number[] = [];
  for (let port = min; port <= max; ++port) if (!(await isFreeOverUdp(port))) taken.push(port);
  const count = max - min + 1;
  if (taken.length === count) return problem(`none of the ${count} ports from ${min} to ${max} is free`);
  if (taken.length > 0) return warning(`${taken.length} of ${count} ports are taken: ${taken.slice(0, 5).join(', ')}`);
  return ok(`${count} are free here; the firewall has to let UDP through to them`);
}

async function isFreeOverUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port);
    await once(socket, 'listening');
    return true;
  } catch {
    // The reason is of no interest: the port can't be used.
    return false;
  } finally {
    socket.close();
  }
}

/** Looks whether the address leads to this machine, as far as that can be told from here. */
async function checkAddress(announcedAddress: string | undefined, ports: PortRange | undefined): Promise<Finding> {
  const own = Object.values(networkInterfaces()).flatMap(addresses => (addresses ?? []).map(({ address }) => address));
  if (announcedAddress === undefined)
    return warning('none: give --announced-address, so that clients of other machines reach the media');
  const addresses = await lookup(announcedAddress, { all: true }).catch(() => []);
  if (addresses.length === 0) return problem(`${announcedAddress} is no host that can be found`);
  if (addresses.some(({ address }) => own.includes(address))) return ok(`${announcedAddress} is this machine’s`);
  const { address, family } = addresses[0]!;
  const port = await returnedPort(address, family, ports);
  if (port !== undefined)
    return ok(`${announcedAddress} leads here: a packet to its UDP port ${port} has come back to this machine`);
  return warning(
    `${announcedAddress} is none of this machine’s addresses, and no packet from here comes back from it: right behind NAT that passes on the ports of media but turns none of ours around, wrong else`,
  );
}

/**
 * Sends a packet to an address, to a port of the range that is free here.
 * @returns the port, if the packet arrives here
 */
async function returnedPort(
  address: string,
  family: number,
  { min, max }: PortRange = { min: 0, max: 0 },
): Promise<number | undefined> {
  let port = min;
  while (port < max && !(await isFreeOverUdp(port))) ++port;
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    socket.bind(port);
    await once(socket, 'listening');
    const token = randomUUID();
    const packets = on(socket, 'message', { signal: AbortSignal.timeout(RETURN_TIMEOUT_MS) });
    const { port: bound } = socket.address();
    socket.send(token, bound, address);
    for await (const [packet] of packets as AsyncIterable<[Buffer]>) if (packet.toString() === token) return bound;
  } catch {
    // The packet has not come in time, or the network has refused it.
  } finally {
    socket.close();
  }
  return undefined;
}

function checkCertificate(cert: string | Buffer): Finding {
  try {
    const expiry = expiryOf(cert);
    return expiry === undefined ? ok('is valid') : warning(expiry);
  } catch (error) {
    return problem(`is no certificate: ${(error as Error).message}`);
  }
}
