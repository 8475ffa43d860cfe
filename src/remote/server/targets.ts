/**
 * Restriction of the addresses that a server sends media to for its clients, which could otherwise send packets
 * anywhere.
 */
import { BlockList, isIP } from 'node:net';
import { UnsupportedError } from 'mediasoup/errors';
import * as v from 'valibot';
import { expecting, optionsOf } from '../../api/optionsSchema.ts';
import { listOf, port } from '../../api/optionTypes.ts';
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

export const plainTarget = optionsOf<PlainTarget>()({
  address: expecting(
    'an IP address, or a network such as 10.0.0.0/8',
    v.pipe(
      v.string(),
      v.check(address => toNetwork(address) !== undefined),
    ),
  ),
  ports: v.optional(
    expecting(
      '{ min, max }, two ports of which the first is not the higher',
      v.pipe(
        v.object({ min: port, max: port }),
        v.check(({ min, max }) => min <= max),
      ),
    ),
  ),
});

export const plainTargets = listOf('objects such as { address, ports }', plainTarget);

interface Rule {
  networks: BlockList;
  min: number;
  max: number;
}

type Options = Readonly<Record<string, unknown>>;

export class Targets {
  readonly #rules: readonly Rule[];

  constructor(targets: readonly PlainTarget[]) {
    this.#rules = targets.map(toRule);
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

function toRule({ address, ports = { min: 0, max: 65_535 } }: PlainTarget): Rule {
  const { ip, length, family } = toNetwork(address)!;
  const networks = new BlockList();
  networks.addSubnet(ip, length, family);
  return { networks, ...ports };
}

/** Returns undefined for anything else than an IP address, or a network. */
function toNetwork(address: string): { ip: string; length: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [ip = '', prefix] = address.split('/');
  const family = isIP(ip);
  const bits = family === 6 ? 128 : 32;
  const length = prefix === undefined ? bits : /^\d+$/.test(prefix) ? Number(prefix) : NaN;
  return family !== 0 && length <= bits ? { ip, length, family: family === 6 ? 'ipv6' : 'ipv4' } : undefined;
}

function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null;
}
