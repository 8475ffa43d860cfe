/** A simulated swarm: peers that come and go, and rooms that are on some of them. */
import { seededRandom } from '../../__tests__/helpers/random.ts';
import type { SimulatedTime } from '../simulation/simulatedTime.ts';
import { SimulatedPeer } from './simulatedPeer.ts';
import { Wire, type WireOptions } from './wire.ts';

/** People of a room, and the streams of each: the same as those of the rooms of `bench/simulation`. */
const PRODUCERS_OF_ROOM = 4 * 2;
/** A room is on 1 to 3 peers. */
const MAX_PEERS_OF_ROOM = 3;
/** Share by which a swarm grows in each step while it comes about. */
const GROWTH = 0.04;
export const STEP_MS = 100;

export interface SwarmSetup extends Omit<WireOptions, 'random'> {
  peers: number;
  producers: number;
}

export interface SimulatedRoom {
  readonly id: string;
  /** Peers that hold a part of it, with the time since when. */
  readonly holders: Map<SimulatedPeer, number>;
}

export class SimulatedSwarm {
  readonly time: SimulatedTime;
  readonly random = seededRandom(1);
  readonly wire: Wire;
  readonly peers: SimulatedPeer[] = [];
  /** Times at which peers have gone, by their URLs. */
  readonly gone = new Map<string, number>();
  readonly rooms: SimulatedRoom[];
  #made = 0;

  constructor(time: SimulatedTime, { producers, ...options }: Omit<SwarmSetup, 'peers'>) {
    this.time = time;
    this.wire = new Wire({ ...options, random: this.random });
    this.rooms = Array.from({ length: Math.ceil(producers / PRODUCERS_OF_ROOM) }, (_, index) => ({
      id: `room-${index}`,
      holders: new Map(),
    }));
  }

  /** Number of records that are published. */
  get records(): number {
    return this.rooms.reduce((sum, { holders }) => sum + holders.size, 0);
  }

  /** Lets a peer join by two others. */
  join(): SimulatedPeer {
    const bootstrap = this.peers.length > 0 ? [this.pick(this.peers), this.pick(this.peers)] : [];
    const peer = new SimulatedPeer(this.wire, ++this.#made, bootstrap);
    this.peers.push(peer);
    return peer;
  }

  /** Lets it grow to a number of peers. */
  async grow(size: number): Promise<void> {
    while (this.peers.length < size) {
      const more = Math.min(Math.ceil(this.peers.length * GROWTH), size - this.peers.length);
      for (let count = 0; count < Math.max(1, more); ++count) this.join();
      await this.time.pass(STEP_MS);
    }
  }

  /** Puts rooms on peers, evenly over a time. */
  async publish(rooms: readonly SimulatedRoom[], within: number): Promise<void> {
    await this.evenly(rooms, within, room => {
      const count = 1 + Math.floor(this.random() * MAX_PEERS_OF_ROOM);
      for (let more = 0; more < count; ++more) this.hold(this.pick(this.peers), room);
    });
  }

  hold(peer: SimulatedPeer, room: SimulatedRoom): void {
    peer.hold(room.id);
    if (!room.holders.has(peer)) room.holders.set(peer, this.time.now);
  }

  /** Ends a peer, with a word or without. @returns the rooms that it held */
  remove(peer: SimulatedPeer, inOrder: boolean): SimulatedRoom[] {
    this.peers.splice(this.peers.indexOf(peer), 1);
    this.gone.set(peer.url, this.time.now);
    const held = this.rooms.filter(({ holders }) => holders.delete(peer));
    void (inOrder ? peer.leave() : peer.crash());
    return held;
  }

  /** Does something for each of many, evenly over a time. */
  async evenly<T>(members: readonly T[], within: number, act: (member: T) => void): Promise<void> {
    let done = 0;
    for (let passed = STEP_MS; passed <= within; passed += STEP_MS) {
      for (const due = Math.floor((members.length * passed) / within); done < due; ++done) act(members[done]!);
      await this.time.pass(STEP_MS);
    }
  }

  pick<T>(members: readonly T[]): T {
    return members[Math.floor(this.random() * members.length)]!;
  }

  async close(): Promise<void> {
    const closing = Promise.all(this.peers.map(peer => peer.crash()));
    let isClosed = false;
    void closing.then(() => (isClosed = true));
    while (!isClosed) await this.time.pass(STEP_MS);
  }
}
