/** The part of Consul's HTTP API that the example of a directory uses: sessions, keys that belong to them, and blocking queries. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class ConsulImitation {
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #values = new Map<string, { value: string; session: string }>();
  readonly #sessions = new Set<string>();
  /** Queries that wait for a change, by the beginning of their keys. */
  readonly #waiting = new Map<() => void, string>();
  #index = 1;

  static async create(): Promise<ConsulImitation> {
    const consul = new ConsulImitation();
    consul.#server.listen(0, '127.0.0.1');
    await once(consul.#server, 'listening');
    return consul;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://consul');
    const body = Buffer.concat(await request.toArray()).toString();
    const [, , kind, ...rest] = url.pathname.split('/');
    const session = kind === 'session' ? rest[1] : (url.searchParams.get('acquire') ?? undefined);
    const key = rest.map(decodeURIComponent).join('/');
    const say = (status: number, answer: unknown = ''): void => {
      response.writeHead(status, { 'X-Consul-Index': String(this.#index) });
      response.end(JSON.stringify(answer));
    };
    if (kind === 'session' && rest[0] === 'create') {
      const id = `session-${this.#index++}`;
      this.#sessions.add(id);
      return say(200, { ID: id });
    }
    if (kind === 'session' && !this.#sessions.has(session!)) return say(404);
    if (kind === 'session' && rest[0] === 'renew') return say(200, []);
    if (kind === 'session') {
      this.#sessions.delete(session!);
      for (const [name, value] of this.#values) if (value.session === session) this.#change(name, undefined);
    } else if (request.method === 'GET') {
      return this.#read(key, url.searchParams.get('index')!, response, say);
    } else this.#change(key, request.method === 'DELETE' ? undefined : { value: body, session: session! });
    say(200, true);
  }

  #change(key: string, value: { value: string; session: string } | undefined): void {
    ++this.#index;
    if (value) this.#values.set(key, value);
    else this.#values.delete(key);
    for (const [wake, prefix] of this.#waiting) {
      if (!key.startsWith(prefix)) continue;
      this.#waiting.delete(wake);
      wake();
    }
  }

  #read(
    prefix: string,
    index: string,
    response: ServerResponse,
    say: (status: number, answer?: unknown) => void,
  ): void {
    const entries = (): object[] =>
      [...this.#values].flatMap(([name, { value }]) =>
        name.startsWith(prefix) ? [{ Key: name, Value: Buffer.from(value).toString('base64') }] : [],
      );
    const answer = (): void => say(entries().length > 0 ? 200 : 404, entries());
    if (index !== String(this.#index)) return answer();
    this.#waiting.set(answer, prefix);
    response.once('close', () => this.#waiting.delete(answer));
  }
}
