/** A client made from docs/reference/protocol.md and socket.io's client, with nothing of ours in between. */
import { io, type Socket } from 'socket.io-client';
import { until } from './until.ts';

export type Wire = string | number;

export interface Addition {
  handle: number;
  className: string;
  id: string;
  parent?: number;
  key?: string;
  appData: unknown;
  state: Record<string, unknown>;
}

/** Any message of a server. */
export interface Message {
  type: string;
  id?: number;
  handle?: number;
  name?: string;
  args?: unknown[];
  changes?: Record<string, unknown>;
  cause?: { name: string };
  mafaldaRouter?: string;
  addition?: Addition;
  handles?: number[];
  ids?: string[];
  slot?: number;
  list?: unknown[];
  isFirst?: boolean;
  isLast?: boolean;
  result?: unknown;
  error?: { name: string; message: string };
}

type Welcome = Record<string, unknown> & { session: { id: string; received: number } };

function open(url: string, auth: Record<string, unknown>): Socket {
  return io(url.replace('ws', 'http'), {
    path: '/mafalda',
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth,
  });
}

/** @returns why the server does not let it in */
export function handshake(url: string, auth: Record<string, unknown>): Promise<string> {
  const socket = open(url, auth);
  return new Promise<string>((resolve, reject) => {
    socket.on('connect_error', ({ message }) => resolve(message));
    socket.on('welcome', () => reject(new Error('it was let in')));
  }).finally(() => socket.disconnect());
}

/** As the protocol asks for. */
const ACKNOWLEDGE_WITHIN_MS = 200;

export class BareClient {
  readonly inbox: Message[] = [];
  readonly loads: unknown[] = [];
  /** The session that began with the first connection. */
  sessionId = '';
  welcome!: Welcome;
  received = 0;
  number = 0;
  acknowledged = 0;
  /** Messages whose number was not the next one, nor one that has been there. */
  gaps = 0;
  /** Of all that has come over its connections, handshakes and pings included. */
  bytes = 0;
  /** Bytes of load reports among them, roughly: they come as the load changes. */
  loadBytes = 0;
  /** It does not say what has arrived. */
  deaf = false;
  readonly #url: string;
  readonly #token: string;
  readonly #outbox = new Map<number, unknown>();
  readonly #answers = new Map<number, Message>();
  readonly #waiting = new Map<number, (answer: Message) => void>();
  #socket!: Socket;
  #nextId = 100_000;
  #acknowledging: NodeJS.Timeout | undefined;

  static async connect(url: string, token: string, more: Record<string, unknown> = {}): Promise<BareClient> {
    const client = new BareClient(url, token);
    await client.#connect(more);
    client.sessionId = client.welcome.session.id;
    return client;
  }

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Goes on over a new connection, whether the old one is lost already or not. */
  async reconnect(): Promise<void> {
    this.#socket.disconnect();
    await this.#connect({ session: { id: this.welcome.session.id, received: this.received } });
  }

  #connect(credentials: Record<string, unknown>): Promise<void> {
    this.#acknowledgeNoMore();
    const socket = open(this.#url, { protocol: 1, token: this.#token, ...credentials });
    this.#socket = socket;
    socket.io.on('open', () => {
      socket.io.engine.on(
        'packet',
        ({ data }) => (this.bytes += Buffer.byteLength((data as string | Buffer | undefined) ?? '')),
      );
    });
    socket.on('load', report => {
      this.loads.push(report);
      this.loadBytes += Buffer.byteLength(JSON.stringify(['load', report]));
    });
    socket.on('acknowledge', (received: number) => this.#forget(received));
    socket.on('message', (first: number, received: number, ...messages: Message[]) => {
      this.#forget(received);
      for (const [index, message] of messages.entries()) this.#receive(first + index, message);
    });
    return new Promise((resolve, reject) => {
      socket.once('connect_error', reject);
      // At once: messages may follow in the same piece of data.
      socket.once('welcome', (welcome: Welcome) => {
        this.#onWelcome(welcome);
        resolve();
      });
    });
  }

  #onWelcome(welcome: Welcome): void {
    const isAnother = welcome.session.id !== (this.welcome as Welcome | undefined)?.session.id;
    this.welcome = welcome;
    if (isAnother) {
      this.#outbox.clear();
      [this.number, this.received] = [0, 0];
    }
    this.#forget(welcome.session.received);
    for (const [number, message] of this.#outbox) this.emit(number, this.received, message);
  }

  /** In one packet. @returns the number of the last one */
  say(...messages: Record<string, unknown>[]): number {
    for (const message of messages) this.#outbox.set(++this.number, message);
    this.emit(this.number - messages.length + 1, this.deaf ? 0 : this.received, ...messages);
    return this.number;
  }

  /** Says once more what was said with this number. */
  repeat(number: number): void {
    this.emit(number, this.received, { type: 'send', target: 0, method: 'whatever it was', args: [] });
  }

  emit(number: number, received: number, ...messages: unknown[]): void {
    this.#socket.emit('message', number, received, ...messages);
  }

  async call(target: Wire, method: string, args: unknown[] = []): Promise<Message> {
    const id = this.#nextId++;
    this.say({ type: 'call', id, target, method, args });
    return this.answer(id);
  }

  async answer(id: number): Promise<Message> {
    return this.#answers.get(id) ?? new Promise(resolve => this.#waiting.set(id, resolve));
  }

  /** @throws if the call fails */
  async result(target: Wire, method: string, args: unknown[] = []): Promise<unknown> {
    const { type, result, error } = await this.call(target, method, args);
    if (type === 'failure') throw new Error(`${method}(): ${error!.name}: ${error!.message}`);
    return result;
  }

  /** The handle of what a call has made. */
  async created(target: Wire, method: string, args: unknown[] = []): Promise<number> {
    return ((await this.result(target, method, args)) as { $ref: number }).$ref;
  }

  knows(handle: number): boolean {
    return this.inbox.some(({ addition }) => addition?.handle === handle);
  }

  addition(handle: number): Addition {
    return this.inbox.findLast(({ addition }) => addition?.handle === handle)!.addition!;
  }

  async untilDisconnected(): Promise<void> {
    await until('it is disconnected', () => this.#socket.disconnected);
  }

  /** Resolves with the reason that the server gives. */
  refused(): Promise<string> {
    return new Promise(resolve => this.#socket.once('refused', resolve));
  }

  /** Resolves when the server says that it is about to close. */
  goodbye(): Promise<void> {
    return new Promise(resolve => this.#socket.once('goodbye', () => resolve()));
  }

  async bye(): Promise<void> {
    await this.#socket.emitWithAck('bye');
  }

  async moved(): Promise<void> {
    await this.#socket.emitWithAck('moved');
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  leave(): void {
    this.#acknowledgeNoMore();
    this.#socket.disconnect();
  }

  async close(): Promise<void> {
    this.#acknowledgeNoMore();
    if (this.#socket.connected) await this.#socket.timeout(2000).emitWithAck('bye');
    this.#socket.disconnect();
  }

  #receive(number: number, message: Message): void {
    if (this.deaf || number <= this.received) return;
    if (number !== this.received + 1) ++this.gaps;
    this.received = number;
    this.inbox.push(message);
    if (message.type === 'answer' || message.type === 'failure') {
      this.#answers.set(message.id!, message);
      this.#waiting.get(message.id!)?.(message);
    }
    if (number % 100 === 0) this.#acknowledge();
    else this.#acknowledging ??= setTimeout(() => this.#acknowledge(), ACKNOWLEDGE_WITHIN_MS).unref();
  }

  /** An acknowledgement that waits is of the connection that ends: the next handshake tells what has arrived. */
  #acknowledgeNoMore(): void {
    clearTimeout(this.#acknowledging);
    this.#acknowledging = undefined;
  }

  #acknowledge(): void {
    this.#acknowledgeNoMore();
    if (!this.deaf) this.#socket.emit('acknowledge', this.received);
  }

  #forget(received: number): void {
    this.acknowledged = Math.max(this.acknowledged, received);
    for (const number of this.#outbox.keys()) if (number <= received) this.#outbox.delete(number);
  }
}
