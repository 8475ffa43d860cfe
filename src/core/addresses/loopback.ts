import { isIPv4 } from 'node:net';

/** Returns whether a host, as in a URL or as a socket gives it, is this machine by its loopback address. */
export function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  const address = host.replace(/^\[|\]$/g, '').replace(/^::ffff:/i, '');
  return address === 'localhost' || address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}
