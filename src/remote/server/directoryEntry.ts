/** Entry of a server in a directory: its record, and which MafaldaRouters it holds, whoever uses them. */
import type { Directory, NodeRecord, Registration } from '../../horizontal/directory/directory.ts';
import type { MafaldaApi } from '../../api/types.ts';
import { heldRoomsOf } from '../../base/roomFinder.ts';
import type { HeldRooms } from '../../core/heldRooms.ts';

export class DirectoryEntry {
  readonly #rooms: HeldRooms;
  readonly #registration: Registration;
  readonly #onHeld = (id: string): void => this.#registration.hold(id);
  readonly #onReleased = (id: string): void => this.#registration.release(id);

  /** @throws {Error} as `register()` of the directory */
  constructor(mafalda: MafaldaApi, directory: Directory, record: NodeRecord) {
    this.#registration = directory.register(record);
    this.#rooms = heldRoomsOf(mafalda);
    for (const id of this.#rooms) this.#registration.hold(id);
    this.#rooms.on('held', this.#onHeld).on('released', this.#onReleased);
  }

  /** Notes the present load, in percent of the node, or whether the server is being drained. */
  update(change: Partial<Pick<NodeRecord, 'load' | 'draining'>>): void {
    this.#registration.update(change);
  }

  /** Takes everything back. */
  async close(): Promise<void> {
    this.#rooms.off('held', this.#onHeld).off('released', this.#onReleased);
    await this.#registration.close();
  }
}
