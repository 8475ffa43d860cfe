/**
 * Publications without the way to the peers that are closest to a target, which is most of their work: those are known here, and what is
 * stored goes straight to them. For the bulk of the records of a large swarm; what a publication costs is measured with others.
 */
import type { Address, DhtReply } from 'dht-rpc';
import { CalmNode } from '../../src/swarm/dht/calmNode.ts';
import { STORE } from '../../src/swarm/dht/commands.ts';

/** Peers that keep a record. */
const CLOSEST = 20;
const TOKEN = Buffer.alloc(32);

interface Place {
  readonly node: CalmNode;
  readonly address: Address;
  /** First bytes of its id: the rest makes no difference among some thousands. */
  readonly start: number;
}

/** Members of the class of the nodes that are replaced. */
interface NodeClass {
  bootstrapper: (this: unknown, port: number, host: string, options: object) => CalmNode;
  prototype: {
    query: (this: CalmNode, asked: { target: Buffer }) => unknown;
    request: (this: CalmNode & Address, ...asked: Asked) => Promise<DhtReply>;
  };
}

type Asked = Parameters<CalmNode['request']>;

const nodeClass = CalmNode as unknown as NodeClass;

export class Shortcut {
  readonly #places = new Map<string, Place>();
  readonly #bootstrapper = nodeClass.bootstrapper;

  /** Notes the nodes that are made from now on, until {@link close}. */
  constructor() {
    const places = this.#places;
    const make = this.#bootstrapper;
    nodeClass.bootstrapper = (port, host, options) => {
      const node = make.call(CalmNode, port, host, options);
      void node.fullyBootstrapped().then(() => {
        places.set(host, { node, address: { host, port }, start: node.id!.readUInt32BE() });
      });
      return node;
    };
  }

  /** Publications take the shortcut, until the function that it returns is called. */
  open(): () => void {
    const { prototype } = nodeClass;
    const { query, request } = prototype;
    const closestTo = (target: Buffer, own: CalmNode): readonly Place[] => this.#closestTo(target, own);
    const places = this.#places;
    prototype.query = function ({ target }) {
      const closest = closestTo(target, this);
      const closestReplies = closest.map(({ address: from }) => ({ from, token: TOKEN, error: 0, value: null }));
      return { closestReplies, destroy: () => undefined, [Symbol.asyncIterator]: nothing };
    };
    prototype.request = function (...asked) {
      const [{ command }, to] = asked;
      if (command !== STORE) return request.apply(this, asked);
      const from = { host: this.host, port: this.port };
      return new Promise((resolve, reject) => {
        const reply = (value: Buffer | null): void => resolve({ from: to, error: 0, value, token: null });
        const error = (code: number): void => reject(new Error(`refused: ${code}`));
        places.get(to.host)!.node.emit('request', { ...asked[0], from, reply, error });
      });
    };
    return () => Object.assign(prototype, { query, request });
  }

  close(): void {
    nodeClass.bootstrapper = this.#bootstrapper;
  }

  #closestTo(target: Buffer, own: CalmNode): readonly Place[] {
    const start = target.readUInt32BE();
    const distance = (place: Place): number => (place.start ^ start) >>> 0;
    const closest: Place[] = [];
    let limit = Infinity;
    for (const place of this.#places.values()) {
      if (distance(place) >= limit || place.node === own) continue;
      closest.push(place);
      if (closest.length < 2 * CLOSEST) continue;
      closest.sort((one, other) => distance(one) - distance(other)).splice(CLOSEST);
      limit = distance(closest.at(-1)!);
    }
    return closest.sort((one, other) => distance(one) - distance(other)).slice(0, CLOSEST);
  }
}

async function* nothing(): AsyncGenerator<DhtReply, void> {
  // The closest peers are known without an answer.
}
