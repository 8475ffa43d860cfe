/** Directory that needs nothing installed: each node tells by itself which MafaldaRouters it holds. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { HeldRooms, HeldRoomsEvents } from '../../core/heldRooms.ts';
import { Multimap } from '../../core/multimap.ts';
import type { Directory, RoomWatch } from './directory.ts';

/** Rooms that a pool of nodes holds: those of each of its nodes. Nodes go by their ids, which may be URLs. */
export class ToldDirectory
  extends EnhancedEventEmitter<HeldRoomsEvents>
  implements HeldRooms, Pick<Directory, 'watch'>
{
  readonly #nodes = new Map<HeldRooms, { nodeId: string; stop: () => void }>();
  /** Ids of the nodes that hold each room. */
  readonly #holders = new Multimap<string, string>();
  readonly #watches = new Multimap<string, ToldWatch>();

  get size(): number {
    return this.#holders.size;
  }

  has(roomId: string): boolean {
    return this.#holders.has(roomId);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#holders.keys();
  }

  get known(): Promise<void> {
    return Promise.all([...this.#nodes.keys()].map(({ known }) => known)).then(() => undefined);
  }

  /** Follows what a node holds, until {@link unfollow}. */
  follow(nodeId: string, rooms: HeldRooms): void {
    const add = (roomId: string): void => this.#add(roomId, nodeId);
    const remove = (roomId: string): void => this.#delete(roomId, nodeId);
    rooms.on('held', add).on('released', remove);
    this.#nodes.set(rooms, { nodeId, stop: () => rooms.off('held', add).off('released', remove) });
    for (const roomId of rooms) add(roomId);
  }

  unfollow(rooms: HeldRooms): void {
    const node = this.#nodes.get(rooms);
    if (!node) return;
    this.#nodes.delete(rooms);
    node.stop();
    for (const roomId of rooms) this.#delete(roomId, node.nodeId);
  }

  watch(roomId: string): RoomWatch {
    const watch = new ToldWatch(
      () => this.#holders.get(roomId),
      () => this.known,
      () => this.#watches.delete(roomId, watch),
    );
    this.#watches.add(roomId, watch);
    return watch;
  }

  #add(roomId: string, nodeId: string): void {
    const isNew = !this.#holders.has(roomId);
    this.#holders.add(roomId, nodeId);
    if (isNew) this.emit('held', roomId);
    this.#announce(roomId);
  }

  #delete(roomId: string, nodeId: string): void {
    this.#holders.delete(roomId, nodeId);
    if (!this.#holders.has(roomId)) this.emit('released', roomId);
    this.#announce(roomId);
  }

  #announce(roomId: string): void {
    for (const watch of this.#watches.get(roomId)) watch.emit('change');
  }
}

class ToldWatch extends EnhancedEventEmitter<{ change: [] }> implements RoomWatch {
  readonly #holders: () => string[];
  readonly #known: () => Promise<void>;
  readonly #onClose: () => void;

  constructor(holders: () => string[], known: () => Promise<void>, onClose: () => void) {
    super();
    this.#holders = holders;
    this.#known = known;
    this.#onClose = onClose;
  }

  get urls(): ReadonlySet<string> {
    return new Set(this.#holders());
  }

  get known(): Promise<boolean> {
    return this.#known().then(() => true);
  }

  close(): void {
    this.#onClose();
  }
}
