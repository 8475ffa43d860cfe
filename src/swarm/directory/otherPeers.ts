/** Directory of the peers beside this peer, whose own Mafalda is used without a server between. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type {
  Directory,
  DirectoryEvents,
  NodeRecord,
  Registration,
  RoomWatch,
} from '../../horizontal/directory/directory.ts';

export class OtherPeers extends EnhancedEventEmitter<DirectoryEvents> implements Directory {
  readonly known: Promise<void>;
  readonly #directory: Directory;
  readonly #ownUrl: string;

  /** @param ready resolves when this peer can be used by others. Never rejects */
  constructor(directory: Directory, ownUrl: string, ready: Promise<void>) {
    super();
    this.#directory = directory;
    this.#ownUrl = ownUrl;
    this.known = Promise.all([directory.known, ready]).then(() => undefined);
    directory.on('node', record => void (record.url !== ownUrl && this.emit('node', record)));
    directory.on('nodegone', url => void (url !== ownUrl && this.emit('nodegone', url)));
    directory.on('error', error => void this.safeEmit('error', error));
    directory.on('recovered', () => void this.emit('recovered'));
  }

  get nodes(): ReadonlyMap<string, NodeRecord> {
    const nodes = new Map(this.#directory.nodes);
    nodes.delete(this.#ownUrl);
    return nodes;
  }

  watch(roomId: string): RoomWatch {
    return new OthersWatch(this.#directory.watch(roomId), this.#ownUrl);
  }

  register(record: NodeRecord): Registration {
    return this.#directory.register(record);
  }

  close(): Promise<void> {
    return this.#directory.close();
  }
}

class OthersWatch extends EnhancedEventEmitter<{ change: [] }> implements RoomWatch {
  readonly #watch: RoomWatch;
  readonly #ownUrl: string;

  constructor(watch: RoomWatch, ownUrl: string) {
    super();
    this.#watch = watch;
    this.#ownUrl = ownUrl;
    watch.on('change', () => void this.emit('change'));
  }

  get known(): Promise<boolean> {
    return this.#watch.known;
  }

  refresh(): Promise<boolean> {
    return this.#watch.refresh?.() ?? this.#watch.known;
  }

  get urls(): ReadonlySet<string> {
    return new Set([...this.#watch.urls].filter(url => url !== this.#ownUrl));
  }

  close(): void {
    this.#watch.close();
  }
}
