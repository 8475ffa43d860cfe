/** MafaldaRouters that a server holds, as it tells them to a client that follows them. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { HeldRooms, HeldRoomsEvents } from '../../core/heldRooms.ts';
import type { NodeLimits } from './nodeLimits.ts';

const BYTES_PER_CHARACTER = 2;

export class ToldRooms extends EnhancedEventEmitter<HeldRoomsEvents> implements HeldRooms {
  readonly #limits: NodeLimits;
  readonly #ids = new Set<string>();
  #bytes = 0;
  /** Ids of a list that has not arrived in full; undefined between lists. */
  #listed: Set<string> | undefined;
  #isFollowing = false;
  #known = Promise.resolve();
  #markKnown = (): void => undefined;

  constructor(limits: NodeLimits) {
    super();
    this.#limits = limits;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** Resolves when the server has told all, or can't tell at present. */
  get known(): Promise<void> {
    return this.#known;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#ids.values();
  }

  /** Notes that the server has been asked. Ignored within a session in which it has. */
  begin(): void {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    this.#known = new Promise(resolve => (this.#markKnown = resolve));
  }

  /** Forgets all at the end of a session: the next session begins with a list. */
  end(): void {
    this.#isFollowing = false;
    this.#listed = undefined;
    for (const id of this.#ids) this.#delete(id);
    this.#markKnown();
  }

  /**
   * Takes over a part of a list of all.
   * @throws {Error} for a part without a beginning, and beyond the limits
   */
  list(ids: readonly string[], isFirst: boolean, isLast: boolean): void {
    if (isFirst) this.#listed = new Set();
    const listed = this.#listed;
    if (!listed) throw new TypeError('a list of MafaldaRouters without its beginning');
    for (const id of ids) {
      listed.add(id);
      this.#add(id);
    }
    if (!isLast) return;
    this.#listed = undefined;
    for (const id of this.#ids) if (!listed.has(id)) this.#delete(id);
    this.#markKnown();
  }

  /** @throws {Error} beyond the limits */
  held(ids: readonly string[]): void {
    for (const id of ids) {
      this.#listed?.add(id);
      this.#add(id);
    }
  }

  released(ids: readonly string[]): void {
    for (const id of ids) {
      this.#listed?.delete(id);
      this.#delete(id);
    }
  }

  #add(id: string): void {
    if (this.#ids.has(id)) return;
    const { mafaldaRouters, objectBytes } = this.#limits;
    if (this.#ids.size >= mafaldaRouters)
      throw new Error(`the server tells of more than ${mafaldaRouters} MafaldaRouters (limits.mafaldaRouters)`);
    const bytes = this.#bytes + id.length * BYTES_PER_CHARACTER;
    if (bytes > objectBytes)
      throw new Error(
        `the server tells of MafaldaRouters whose ids take more than ${objectBytes} bytes (limits.objectBytes)`,
      );
    this.#bytes = bytes;
    this.#ids.add(id);
    this.emit('held', id);
  }

  #delete(id: string): void {
    if (!this.#ids.delete(id)) return;
    this.#bytes -= id.length * BYTES_PER_CHARACTER;
    this.emit('released', id);
  }
}
