/** Rooms that a simulated server holds: those that have people there. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { HeldRooms, HeldRoomsEvents } from '../../src/core/heldRooms.ts';

export class HeldOnServer extends EnhancedEventEmitter<HeldRoomsEvents> implements HeldRooms {
  readonly known = Promise.resolve();
  readonly #ids = new Set<string>();

  get size(): number {
    return this.#ids.size;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#ids.values();
  }

  hold(id: string): void {
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    this.emit('held', id);
  }
}
