/** A directory in the memory of a process, for what needs one and no Redis: what one of them writes all others read. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type {
  Directory,
  DirectoryEvents,
  NodeRecord,
  Registration,
  RoomWatch,
} from '../../src/horizontal/directory/directory.ts';

/** State that all directories share. Readers hear of a change a moment later, as over a network. */
export class MemoryStore {
  readonly nodes = new Map<string, NodeRecord>();
  readonly holders = new Map<string, Set<string>>();
  readonly directories = new Set<MemoryDirectory>();

  open(): MemoryDirectory {
    return new MemoryDirectory(this);
  }

  tell(act: (directory: MemoryDirectory) => void): void {
    setImmediate(() => this.directories.forEach(act));
  }

  setHolder(roomId: string, url: string, isHeld: boolean): void {
    const urls = this.holders.get(roomId) ?? new Set();
    if (urls.has(url) === isHeld) return;
    if (isHeld) this.holders.set(roomId, urls.add(url));
    else if (urls.delete(url) && urls.size === 0) this.holders.delete(roomId);
    this.tell(directory => directory.onRoom(roomId));
  }
}

export class MemoryDirectory extends EnhancedEventEmitter<DirectoryEvents> implements Directory {
  readonly #store: MemoryStore;
  readonly nodes = new Map<string, NodeRecord>();
  readonly known: Promise<void>;
  readonly #watches = new Map<string, Set<MemoryWatch>>();
  readonly #registrations = new Set<Registration>();

  constructor(store: MemoryStore) {
    super();
    this.#store = store;
    store.directories.add(this);
    this.known = new Promise(resolve =>
      setImmediate(() => {
        for (const record of store.nodes.values()) this.onNode(record);
        resolve();
      }),
    );
  }

  watch(roomId: string): RoomWatch {
    const watches = this.#watches.get(roomId) ?? new Set();
    this.#watches.set(roomId, watches);
    const watch = new MemoryWatch(
      () => this.#store.holders.get(roomId),
      () => watches.delete(watch) && watches.size === 0 && this.#watches.delete(roomId),
    );
    watches.add(watch);
    return watch;
  }

  register(record: NodeRecord): Registration {
    const { url, serverId } = record;
    const store = this.#store;
    const held = new Set<string>();
    let closed = false;
    const write = (next: NodeRecord): void => {
      store.nodes.set(url, next);
      store.tell(directory => directory.onNode(next));
    };
    write(record);
    const registration: Registration = {
      update: change => closed || write({ ...store.nodes.get(url)!, ...change }),
      hold: roomId => closed || (held.add(roomId) && store.setHolder(roomId, url, true)),
      release: roomId => void (held.delete(roomId) && store.setHolder(roomId, url, false)),
      close: async () => {
        if (closed) return;
        closed = true;
        this.#registrations.delete(registration);
        for (const roomId of held) store.setHolder(roomId, url, false);
        if (store.nodes.get(url)?.serverId !== serverId) return;
        store.nodes.delete(url);
        store.tell(directory => directory.onGone(url));
      },
    };
    this.#registrations.add(registration);
    return registration;
  }

  async close(): Promise<void> {
    this.#store.directories.delete(this);
    for (const watches of this.#watches.values()) for (const watch of watches) watch.close();
    await Promise.all([...this.#registrations].map(registration => registration.close()));
  }

  onNode(record: NodeRecord): void {
    if (JSON.stringify(this.nodes.get(record.url)) === JSON.stringify(record)) return;
    this.nodes.set(record.url, record);
    this.safeEmit('node', record);
  }

  onGone(url: string): void {
    if (this.nodes.delete(url)) this.safeEmit('nodegone', url);
  }

  onRoom(roomId: string): void {
    for (const watch of this.#watches.get(roomId) ?? []) watch.read();
  }
}

class MemoryWatch extends EnhancedEventEmitter<{ change: [] }> implements RoomWatch {
  urls: ReadonlySet<string> = new Set();
  readonly known: Promise<boolean>;
  readonly #holders: () => ReadonlySet<string> | undefined;
  readonly #onClose: () => void;
  #closed = false;

  constructor(holders: () => ReadonlySet<string> | undefined, onClose: () => void) {
    super();
    this.#holders = holders;
    this.#onClose = onClose;
    this.known = new Promise(resolve =>
      setImmediate(() => {
        this.read();
        resolve(true);
      }),
    );
  }

  read(): void {
    const urls = new Set(this.#holders());
    if (this.#closed || [...urls].join() === [...this.urls].join()) return;
    this.urls = urls;
    this.safeEmit('change');
  }

  close(): void {
    this.#closed = true;
    this.#onClose();
  }
}
