/**
 * A network in memory between the peers of a swarm: a datagram takes its time, which each pair of peers has its own of, or is lost, and is
 * counted by what it is for.
 */
import { EventEmitter } from 'node:events';
import type { Address, DhtSocket } from 'dht-rpc';
import { toText } from '../../src/swarm/dht/address.ts';
import { handOut, type BindSockets } from '../../src/swarm/dht/sockets.ts';
import { SEAL_BYTES, type Seal } from '../../src/swarm/dht/seal.ts';
import { hasTarget, isRequest, numberOf, purposeOfRequest, purposes, readAnswer, type Purpose } from './datagram.ts';

/** Headers of IPv4 and UDP. */
const HEADER_BYTES = 28;

export interface WireOptions {
  /** The way from one peer to another, in ms. */
  latency: { min: number; max: number };
  /** Share of the datagrams that are lost. */
  loss: number;
  /** Whether datagrams are really sealed and opened, and signed for. If not, the bytes of both are counted nevertheless. */
  sealed: boolean;
  random: () => number;
}

/** Datagrams and their bytes, as they are sent. */
export interface Traffic {
  datagrams: number;
  bytes: number;
}

/** A lookup of one peer, followed on the wire. */
export interface Trace {
  requests: number;
  /** Requests that followed from one another until the first answer with a record; undefined without one. */
  hops: number | undefined;
  end(): void;
}

export class Wire {
  traffic = noTraffic();
  readonly options: WireOptions;
  /** Sockets, by host and by port. */
  readonly #sockets = new Map<string, Map<number, WireSocket>>();

  constructor(options: WireOptions) {
    this.options = options;
  }

  /** Binds the sockets of a peer at its host. */
  readonly bind: BindSockets = async (port, host, seal) => {
    const sockets = [port, port + 1].map(
      at => new WireSocket(this, { address: host, host, port: at, family: 4 }, seal),
    );
    this.#sockets.set(host, new Map(sockets.map(socket => [socket.address().port, socket])));
    return handOut(sockets[0]!, sockets[1]!);
  };

  /** Ends a peer without a word: from now on nothing comes from it, nor to it. */
  unplug(host: string, port: number): void {
    for (const at of [port, port + 1]) void this.socketAt(host, at)?.close();
  }

  /** Follows the lookup of a target by a peer. */
  trace(host: string, port: number, target: Buffer): Trace {
    return this.socketAt(host, port)!.trace(target);
  }

  socketAt(host: string, port: number): WireSocket | undefined {
    return this.#sockets.get(host)?.get(port);
  }

  forget({ host, port }: Address): void {
    this.#sockets.get(host)?.delete(port);
  }
}

export function noTraffic(): Record<Purpose, Traffic> {
  return Object.fromEntries(purposes.map(purpose => [purpose, { datagrams: 0, bytes: 0 }])) as Record<Purpose, Traffic>;
}

class WireSocket extends EventEmitter implements DhtSocket {
  readonly bound = true;
  readonly #wire: Wire;
  readonly #address: ReturnType<DhtSocket['address']>;
  readonly #seal: Seal;
  readonly #place: number;
  /** Purposes of requests without an answer, by their numbers. */
  readonly #asked = new Map<number, Purpose>();
  #trace: ActiveTrace | undefined;
  #closed = false;

  constructor(wire: Wire, address: ReturnType<DhtSocket['address']>, seal: Seal) {
    super();
    this.#wire = wire;
    this.#address = address;
    this.#seal = seal;
    this.#place = wire.options.random();
  }

  bind(): void {
    // The socket is bound already.
  }

  address(): ReturnType<DhtSocket['address']> {
    return this.#address;
  }

  trySend(datagram: Buffer, port: number, host: string): void {
    if (this.#closed) return;
    const { options, traffic } = this.#wire;
    const receiver = this.#wire.socketAt(host, port);
    const purpose = isRequest(datagram) ? this.#ask(datagram, { host, port }) : receiver?.answered(datagram);
    const sealed = options.sealed ? this.#seal.close(datagram) : datagram;
    const counted = traffic[purpose ?? 'routing'];
    ++counted.datagrams;
    counted.bytes += sealed.length + HEADER_BYTES + (options.sealed ? 0 : SEAL_BYTES);
    if (!receiver || options.random() < options.loss) return;
    setTimeout(() => receiver.#receive(sealed, this.#address), this.#latencyTo(receiver));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wire.forget(this.#address);
  }

  trace(target: Buffer): Trace {
    const trace = new ActiveTrace(target, () => (this.#trace = undefined));
    this.#trace = trace;
    return trace;
  }

  /** Notes the answer to a request of this socket, which is on its way. @returns what the request was for */
  answered(answer: Buffer): Purpose | undefined {
    const number = numberOf(answer);
    const purpose = this.#asked.get(number);
    this.#asked.delete(number);
    return purpose;
  }

  #ask(request: Buffer, to: Address): Purpose {
    const kind = purposeOfRequest(request);
    const isTrial = this.#trace !== undefined && kind === 'finding' && hasTarget(request, this.#trace.target);
    const purpose = isTrial ? 'trial' : kind;
    this.#asked.set(numberOf(request), purpose);
    if (isTrial) this.#trace!.onRequest(toText(to));
    return purpose;
  }

  #receive(sealed: Buffer, from: ReturnType<DhtSocket['address']>): void {
    if (this.#closed) return;
    const datagram = this.#wire.options.sealed ? this.#seal.open(sealed) : sealed;
    if (!datagram) return;
    if (this.#trace && !isRequest(datagram)) this.#trace.onAnswer(toText(from), datagram);
    this.emit('message', datagram, { host: from.host, port: from.port });
  }

  /** Peers have places on a line, so that the ways between them differ, and stay. */
  #latencyTo(receiver: WireSocket): number {
    const { min, max } = this.#wire.options.latency;
    return Math.round(min + (max - min) * Math.abs(this.#place - receiver.#place));
  }
}

class ActiveTrace implements Trace {
  requests = 0;
  hops: number | undefined;
  readonly target: Buffer;
  readonly #end: () => void;
  /** Number of requests that led to a peer, its own included. */
  readonly #depths = new Map<string, number>();

  constructor(target: Buffer, end: () => void) {
    this.target = target;
    this.#end = end;
  }

  onRequest(to: string): void {
    ++this.requests;
    if (!this.#depths.has(to)) this.#depths.set(to, 1);
  }

  onAnswer(from: string, answer: Buffer): void {
    const depth = this.#depths.get(from);
    if (depth === undefined) return;
    const { closer, hasValue } = readAnswer(answer);
    if (hasValue) this.hops ??= depth;
    for (const name of closer) if (!this.#depths.has(name)) this.#depths.set(name, depth + 1);
  }

  end(): void {
    this.#end();
  }
}
