/** A peer of a simulated swarm: its directory, its records and its lookups are the real ones, and it has no media. */
import type { Registration, RoomWatch } from '../../src/horizontal/directory/directory.ts';
import { SwarmDirectory } from '../../src/swarm/directory/swarmDirectory.ts';
import { Identity } from '../../src/swarm/identity.ts';
import { Trust } from '../../src/swarm/trust.ts';
import type { Dht } from '../../src/swarm/dht/dht.ts';
import type { Wire } from './wire.ts';

const PORT = 4444;
const KEY = Buffer.alloc(32, 7);

export class SimulatedPeer {
  readonly host: string;
  readonly url: string;
  readonly directory: SwarmDirectory;
  readonly #wire: Wire;
  readonly #registration: Registration;
  /** Its DHT, once that is open. */
  dht: Dht | undefined;

  constructor(wire: Wire, index: number, bootstrap: readonly SimulatedPeer[]) {
    this.#wire = wire;
    this.host = [10, index >> 16, (index >> 8) & 255, index & 255].join('.');
    this.url = `wss://media-${index}.example:4443`;
    this.directory = new SwarmDirectory({
      bootstrap: bootstrap.map(({ host }) => `${host}:${PORT}`),
      trust: new Trust({ key: KEY, trusted: undefined, revoked: [] }),
      host: this.host,
      listenHost: this.host,
      port: PORT,
      identity: new Identity(),
      bind: wire.bind,
    });
    this.#registration = this.directory.register({
      url: this.url,
      serverId: `server-${index}`,
      region: 'region',
      labels: {},
      load: 10,
      draining: false,
    });
    void this.directory.opened().then(dht => (this.dht = dht));
  }

  /** Says that it holds a part of a room. */
  hold(roomId: string): void {
    this.#registration.hold(roomId);
  }

  /** Follows which peers hold a part of a room. */
  watch(roomId: string): RoomWatch {
    return this.directory.watch(roomId);
  }

  trace(target: Buffer): ReturnType<Wire['trace']> {
    return this.#wire.trace(this.host, PORT, target);
  }

  /** Goes as a peer should. */
  async leave(): Promise<void> {
    await this.#registration.close();
    await this.directory.close();
  }

  /** Goes without a word. */
  async crash(): Promise<void> {
    this.#wire.unplug(this.host, PORT);
    await this.directory.close();
  }
}
