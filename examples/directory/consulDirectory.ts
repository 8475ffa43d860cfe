/**
 * A directory on Consul, as an example of how one is written: the keys of a server belong to a session of Consul's, which
 * deletes them when it is not renewed, and readers wait for changes by blocking queries. An application for production
 * would add a token, back off longer, and limit what it reads.
 */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Directory, DirectoryEvents, NodeRecord, Registration, RoomWatch } from 'mafalda-horizontal';

const TTL_SECONDS = 15;
const RETRY_MS = 1000;

interface Entry {
  Key: string;
  Value: string | null;
}

export class ConsulDirectory extends EnhancedEventEmitter<DirectoryEvents> implements Directory {
  readonly #consul: Consul;
  readonly #nodes = new Map<string, NodeRecord>();
  readonly #opened = new Set<{ close(): unknown }>();
  #following: Promise<void> | undefined;

  /** @param url of a Consul agent, such as `http://127.0.0.1:8500` */
  constructor(url: string, prefix = 'mafalda') {
    super();
    this.#consul = new Consul(`${url}/v1`, prefix, {
      onIll: error => void (this.listenerCount('error') > 0 && this.emit('error', error)),
      onWell: () => void this.emit('recovered'),
    });
  }

  get nodes(): ReadonlyMap<string, NodeRecord> {
    void this.known;
    return this.#nodes;
  }

  get known(): Promise<void> {
    return (this.#following ??= this.#keep(this.#consul.follow('nodes/', values => this.#onNodes(values))).known);
  }

  watch(roomId: string): RoomWatch {
    const urls = new Set<string>();
    const watch = new EnhancedEventEmitter<{ change: [] }>();
    const following = this.#keep(
      this.#consul.follow(`rooms/${encodeURIComponent(roomId)}/`, values => {
        if ([...urls].sort().join() === [...values].sort().join()) return;
        urls.clear();
        for (const url of values) urls.add(url);
        watch.emit('change');
      }),
    );
    const close = (): void => {
      this.#opened.delete(following);
      following.close();
    };
    return Object.assign(watch, { urls, known: following.known.then(() => !this.#consul.isIll), close });
  }

  register(record: NodeRecord): Registration {
    const { url } = record;
    const name = encodeURIComponent(url);
    const writer = this.#keep(this.#consul.write());
    let current = record;
    writer.set(`nodes/${name}`, JSON.stringify(current));
    return {
      update: change => writer.set(`nodes/${name}`, JSON.stringify((current = { ...current, ...change }))),
      hold: roomId => writer.set(`rooms/${encodeURIComponent(roomId)}/${name}`, url),
      release: roomId => writer.set(`rooms/${encodeURIComponent(roomId)}/${name}`, undefined),
      close: async () => {
        this.#opened.delete(writer);
        await writer.close();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened].map(opened => opened.close()));
    this.#opened.clear();
  }

  #keep<T extends { close(): unknown }>(opened: T): T {
    this.#opened.add(opened);
    return opened;
  }

  #onNodes(values: readonly string[]): void {
    const present = new Map(values.map(value => JSON.parse(value) as NodeRecord).map(record => [record.url, record]));
    for (const [url, record] of present) {
      if (JSON.stringify(this.#nodes.get(url)) === JSON.stringify(record)) continue;
      this.#nodes.set(url, record);
      this.emit('node', record);
    }
    for (const url of this.#nodes.keys()) if (!present.has(url) && this.#nodes.delete(url)) this.emit('nodegone', url);
  }
}

/** Consul's HTTP API, as far as it is needed. */
class Consul {
  readonly #url: string;
  readonly #prefix: string;
  readonly #health: { onIll(error: Error): void; onWell(): void };
  isIll = false;

  constructor(url: string, prefix: string, health: { onIll(error: Error): void; onWell(): void }) {
    this.#url = url;
    this.#prefix = prefix;
    this.#health = health;
  }

  /** Calls back with the values of all keys that begin with the path, now and whenever one changes. */
  follow(path: string, onValues: (values: readonly string[]) => void): { known: Promise<void>; close(): void } {
    const end = new AbortController();
    let markKnown!: () => void;
    const known = new Promise<void>(resolve => (markKnown = resolve));
    const run = async (): Promise<void> => {
      for (let index = '0'; !end.signal.aborted;) {
        const answer = await this.#ask('GET', `/kv/${this.#prefix}/${path}?recurse=true&wait=60s&index=${index}`, {
          signal: end.signal,
        });
        if (answer) {
          index = answer.headers.get('X-Consul-Index') ?? '0';
          // Consul answers 404 where there are no keys.
          const entries = answer.ok ? ((await answer.json()) as Entry[]) : [];
          onValues(entries.map(({ Value }) => Buffer.from(Value ?? '', 'base64').toString()));
        } else if (!end.signal.aborted) await new Promise(resolve => setTimeout(resolve, RETRY_MS));
        markKnown();
      }
    };
    void run();
    return { known, close: () => end.abort() };
  }

  /** Writes keys, and keeps them for as long as it is open: Consul deletes them when it hears nothing for a while. */
  write(): { set(path: string, value: string | undefined): void; close(): Promise<void> } {
    const wanted = new Map<string, string | undefined>();
    const changed = new Set<string>();
    let session: string | undefined;
    let working: Promise<void> | undefined;
    const writeOne = (path: string, owner: string | undefined): Promise<Response | undefined> => {
      const value = wanted.get(path);
      if (value === undefined) wanted.delete(path);
      const query = value === undefined ? '' : `?acquire=${owner}`;
      const method = value === undefined ? 'DELETE' : 'PUT';
      return this.#ask(method, `/kv/${this.#prefix}/${path}${query}`, { body: value });
    };
    const work = async (): Promise<void> => {
      const opened = session === undefined ? await this.#createSession() : session;
      session = opened;
      while (changed.size > 0) {
        const paths = [...changed];
        changed.clear();
        const answers = await Promise.all(paths.map(path => writeOne(path, opened)));
        for (const [index, path] of paths.entries()) if (!answers[index]) changed.add(path);
        if (!answers.every(Boolean)) return;
      }
    };
    const begin = (): void => void (working ??= work().finally(() => (working = undefined)));
    const renew = async (): Promise<void> => {
      const renewed = session === undefined ? undefined : await this.#ask('PUT', `/session/renew/${session}`);
      // A session that Consul does not know any more has taken its keys along.
      if (renewed?.status === 404) {
        session = undefined;
        for (const path of wanted.keys()) changed.add(path);
      }
      begin();
    };
    const timer = setInterval(() => void renew(), (TTL_SECONDS * 1000) / 3).unref();
    return {
      set: (path, value) => {
        wanted.set(path, value);
        changed.add(path);
        begin();
      },
      close: async () => {
        clearInterval(timer);
        await working;
        if (session !== undefined) await this.#ask('PUT', `/session/destroy/${session}`);
      },
    };
  }

  async #createSession(): Promise<string | undefined> {
    const body = JSON.stringify({ TTL: `${TTL_SECONDS}s`, Behavior: 'delete', LockDelay: '0s' });
    const answer = await this.#ask('PUT', '/session/create', { body });
    return answer && ((await answer.json()) as { ID: string }).ID;
  }

  /** Resolves with the answer; undefined if Consul can't answer. */
  async #ask(method: string, path: string, init: RequestInit = {}): Promise<Response | undefined> {
    try {
      const answer = await fetch(this.#url + path, { method, ...init });
      if (!answer.ok && answer.status !== 404)
        throw new Error(`Consul answers ${answer.status}: ${await answer.text()}`);
      if (this.isIll) this.#health.onWell();
      this.isIll = false;
      return answer;
    } catch (error) {
      if (init.signal?.aborted) return undefined;
      if (!this.isIll) this.#health.onIll(error as Error);
      this.isIll = true;
      return undefined;
    }
  }
}
