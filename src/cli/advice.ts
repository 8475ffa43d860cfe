/** Advice on what will not work for everybody, though it starts. */
import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import type { RemoteMafaldaServerOptions } from '../remote/index.ts';
import { availableCores } from '../api/resources.ts';
import { isLoopback } from '../core/addresses/loopback.ts';
import type { PortRange } from './settings/portRange.ts';

const DAY_MS = 86_400_000;
/** Days before the end of a certificate from which on it is warned of. */
const WARN_DAYS = 14;
/** Files that a busy server opens: a socket of each client and of each Transport over TCP. */
const FEW_OPEN_FILES = 4096;

interface Given {
  mediaPorts?: PortRange;
  workers?: number;
  listenInfos?: unknown;
  listenIps?: unknown;
  webRtcServerOptions?: unknown;
}

export function adviceFor(options: RemoteMafaldaServerOptions, given: Given = {}): string[] {
  const { host, cert, auth, announcedAddress } = options;
  const { mediaPorts, workers = availableCores() } = given;
  const advice: string[] = [];
  if (!isLoopback(host) && !cert)
    advice.push('no TLS: tokens and the keys of media go over the network as they are; give --cert and --key');
  if (auth === false && !isLoopback(host)) advice.push('everybody who reaches the port may use this server');
  const hasAddress = announcedAddress ?? given.listenInfos ?? given.listenIps ?? given.webRtcServerOptions;
  if (hasAddress === undefined)
    advice.push(
      'no --announced-address: callers have to give addresses for their transports, and pipes reach servers of this machine only',
    );
  if (mediaPorts && mediaPorts.max - mediaPorts.min + 1 < workers)
    advice.push(
      `--media-ports has ${mediaPorts.max - mediaPorts.min + 1} ports for ${workers} Workers: only so many of them take WebRtcTransports`,
    );
  const files = openFilesLimit();
  if (files !== undefined && files < FEW_OPEN_FILES)
    advice.push(`at most ${files} open files: a busy server needs more (systemd: LimitNOFILE=, shell: ulimit -n)`);
  const expiry = cert === undefined ? undefined : expiryOf(cert);
  if (expiry) advice.push(expiry);
  return advice;
}

/** Returns how many files this process may open; undefined where the system does not say. */
export function openFilesLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined || soft === 'unlimited' ? undefined : Number(soft);
  } catch {
    // Systems other than Linux have no such file.
    return undefined;
  }
}

/** Returns a sentence if the certificate is not valid now, or not for long. */
export function expiryOf(cert: string | Buffer, now = Date.now()): string | undefined {
  const { validFrom, validTo, subject } = new X509Certificate(cert);
  const name = subject.replaceAll('\n', ', ');
  if (Date.parse(validFrom) > now) return `the certificate of ${name} is valid from ${validFrom} only`;
  const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
  if (days < 0) return `the certificate of ${name} was valid until ${validTo}`;
  return days < WARN_DAYS ? `the certificate of ${name} ends in ${days} days (${validTo})` : undefined;
}
