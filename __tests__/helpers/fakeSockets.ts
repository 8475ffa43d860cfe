/** Two ends of a connection without a network: what one emits waits in a queue until it is delivered, or lost. */
import type { Socket } from '../../src/remote/protocol/session.ts';

type Listener = (...args: unknown[]) => void;

export class FakeSocket implements Socket {
  readonly #listeners = new Map<string, Listener>();
  readonly queue: { event: string; args: unknown[] }[] = [];
  disconnected = false;

  on(event: string, listener: (...args: never[]) => void): this {
    this.#listeners.set(event, listener as Listener);
    return this;
  }

  removeAllListeners(event: string): this {
    this.#listeners.delete(event);
    return this;
  }

  emit(event: string, ...args: unknown[]): void {
    this.queue.push({ event, args: structuredClone(args) });
  }

  disconnect(): void {
    this.disconnected = true;
  }

  /** As if it had come over the network. */
  receive(event: string, ...args: unknown[]): void {
    this.#listeners.get(event)?.(...args);
  }
}

export class FakeConnection {
  readonly near = new FakeSocket();
  readonly far = new FakeSocket();

  /** Delivers the oldest packet of one direction. @returns whether there was one */
  deliver(from: FakeSocket): boolean {
    const packet = from.queue.shift();
    if (packet) (from === this.near ? this.far : this.near).receive(packet.event, ...packet.args);
    return packet !== undefined;
  }

  /** @param sessions at the ends of it: what has arrived there is dealt with in turns, of which each lasts some ms */
  async deliverAll(...sessions: { untilDelivered(): Promise<void> }[]): Promise<void> {
    do {
      await said();
      while (this.deliver(this.near) || this.deliver(this.far));
      for (const session of sessions) await session.untilDelivered();
      await said();
    } while (this.near.queue.length + this.far.queue.length > 0);
  }
}

/** Messages that are said in one go are sent after that; many of them in turns. */
export async function said(): Promise<void> {
  await new Promise<void>(resolve => setImmediate(resolve));
}
