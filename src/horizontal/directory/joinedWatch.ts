/** A watch of a room in several directories: what any of them says counts. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { RoomWatch } from './directory.ts';

export class JoinedWatch extends EnhancedEventEmitter<{ change: [] }> implements RoomWatch {
  readonly #watches: readonly RoomWatch[];
  readonly known: Promise<boolean>;

  /**
   * @param watches are closed with this one
   * @param nodesKnown resolves when the nodes are known that the watches may name
   */
  constructor(watches: readonly RoomWatch[], nodesKnown: Promise<void>) {
    super();
    this.#watches = watches;
    const known = Promise.all(watches.map(watch => watch.known));
    this.known = nodesKnown.then(() => known).then(all => all.every(Boolean));
    for (const watch of watches) watch.on('change', () => this.emit('change'));
  }

  get urls(): ReadonlySet<string> {
    return new Set(this.#watches.flatMap(({ urls }) => [...urls]));
  }

  async refresh(): Promise<boolean> {
    const all = await Promise.all(this.#watches.map(watch => watch.refresh?.() ?? watch.known));
    return all.every(Boolean);
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
  }
}
