/** Addresses of peers in the DHT, as people write them: `media-1.example:4444`. */

export interface HostAndPort {
  /** Name or IPv4 address. */
  readonly host: string;
  readonly port: number;
}

/** Returns undefined for a text that is no address. */
export function parseAddress(text: string): HostAndPort | undefined {
  const [, host, digits] = /^([^\s:/[\]@]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return host !== undefined && port > 0 && port < 65_536 ? { host, port } : undefined;
}

export function toText({ host, port }: HostAndPort): string {
  return `${host}:${port}`;
}
