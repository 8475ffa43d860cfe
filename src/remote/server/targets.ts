/**
 * Restriction of the addresses that a server sends media to for its clients, which could otherwise send packets
 * anywhere.
 */
import { BlockList, isIP } from 'node:net';
import { UnsupportedError } from 'mediasoup/errors';
import { refuseUnknown } from '../../api/options.ts';
import type { ClassName } from '../protocol/classes.ts';

/** Addresses and ports that a server may send media to. */
export interface PlainTarget {
  /** IP address, or network such as `10.0.0.0/8`. */
  address: string;
  /**
   * Range of ports, both included.
   * @default { min: 0, max: 65535 }
   */
  ports?: { min: number; max: number };
}

interface Rule {
  networks: BlockList;
  min: number;
  max: number;
}

type Options = Readonly<Record<string, unknown>>;

export class Targets {
  readonly #rules: readonly Rule[];

  /** @throws {TypeError} for an invalid address or range of ports */
  constructor(targets: readonly PlainTarget[]) {
    if (!Array.isArray(targets)) throw new TypeError('if given, plainTargets must be an array of { address, ports }');
    this.#rules = (targets as PlainTarget[]).map(toRule);
  }

  /** @throws {UnsupportedError} if the call would send packets to an address that is not listed */
  check(method: string, className: ClassName | undefined, args: readonly unknown[]): void {
    const options = isOptions(args[0]) ? args[0] : {};
    if (method === 'createPlainTransport' && options['comedia'] === true) {
      throw new UnsupportedError(
        'comedia: this server sends to addresses of its operator’s choice only (plainTargets), and with comedia it would send to whoever sends first',
      );
    }
    const sends = method === 'connect' && (className === 'PlainTransport' || className === 'PipeTransport');
    if (sends) return this.#checkTarget(options, options['rtcpPort']);
    if ((method === 'connectLink' || method === 'acceptPipe') && isOptions(options['remote']))
      this.#checkTarget(options['remote']);
  }

  #checkTarget({ ip, port }: Options, rtcpPort?: unknown): void {
    for (const each of [port, rtcpPort]) {
      if (each === undefined || each === null || this.#isAllowed(ip, each)) continue;
      throw new UnsupportedError(
        `this server sends nothing to ${JSON.stringify(ip)}, port ${JSON.stringify(each)}: its operator has not listed it in plainTargets`,
      );
    }
  }

  /** Refuses host names without a look-up, since the owner of a name can make it mean any address. */
  #isAllowed(ip: unknown, port: unknown): boolean {
    if (typeof ip !== 'string' || typeof port !== 'number') return false;
    const family = isIP(ip);
    return (
      family !== 0 &&
      this.#rules.some(
        ({ networks, min, max }) => port >= min && port <= max && networks.check(ip, family === 6 ? 'ipv6' : 'ipv4'),
      )
    );
  }
}

function toRule(target: PlainTarget, index: number): Rule {
  const path = `plainTargets[${index}]`;
  refuseUnknown(path, target, { address: true, ports: true });
  const { address, ports = { min: 0, max: 65_535 } } = target;
  const [ip = '', prefix] = String(address).split('/');
  const family = isIP(ip);
  const bits = family === 6 ? 128 : 32;
  const length = prefix === undefined ? bits : /^\d+$/.test(prefix) ? Number(prefix) : NaN;
  if (family === 0 || !(length <= bits))
    throw new TypeError(
      `${path}.address must be an IP address, or a network such as 10.0.0.0/8; it is ${JSON.stringify(address)}`,
    );
  if (![ports?.min, ports?.max].every(port => Number.isInteger(port)) || ports.min > ports.max)
    throw new TypeError(`${path}.ports must be { min, max }`);
  const networks = new BlockList();
  networks.addSubnet(ip, length, family === 6 ? 'ipv6' : 'ipv4');
  return { networks, ...ports };
}

function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null;
}
