/** Somebody in a room, who has one transport, says something there and hears the others. */
import { once } from 'node:events';
import type { DataConsumer, DataProducer, DirectTransport } from 'mediasoup/types';
import type { MafaldaRouter } from 'mafalda-horizontal';

/** How often something is said again until it is heard: a pipe that is being made may not be open yet. */
const ATTEMPTS = 50;
const ATTEMPT_MS = 100;

export class Person {
  readonly name: string;
  readonly #room: MafaldaRouter;
  #transport!: DirectTransport;
  #voice!: DataProducer;
  /** What he hears, by the name of who says it. */
  readonly #ears = new Map<string, DataConsumer>();

  static async join(room: MafaldaRouter, name: string, others: readonly Person[]): Promise<Person> {
    const person = new Person(room, name);
    await person.#enter(others);
    return person;
  }

  private constructor(room: MafaldaRouter, name: string) {
    this.#room = room;
    this.name = name;
  }

  get transport(): DirectTransport {
    return this.#transport;
  }

  /** To another server, if his own takes nothing new: first everything there, then the end of what is here. */
  async move(people: readonly Person[]): Promise<void> {
    const old = this.#transport;
    await this.#enter(people.filter(person => person !== this));
    old.close();
  }

  /** Resolves when all of them have heard it. */
  async say(others: readonly Person[]): Promise<void> {
    const text = `${this.name} ${Math.random()}`;
    await Promise.all(others.map(other => other.#hear(this.name, text, () => this.#voice.send(text))));
  }

  async #enter(others: readonly Person[]): Promise<void> {
    this.#transport = await this.#room.createDirectTransport();
    this.#voice = await this.#transport.produceData();
    for (const other of others) {
      await this.#listen(other);
      await other.#listen(this);
    }
  }

  async #listen(other: Person): Promise<void> {
    // Of one who is gone from there already, there is nothing more to hear.
    if (this.#transport.closed || other.#voice.closed) return;
    this.#ears.set(other.name, await this.#transport.consumeData({ dataProducerId: other.#voice.id }));
  }

  async #hear(name: string, text: string, say: () => void): Promise<void> {
    const consumer = this.#ears.get(name);
    if (!consumer) throw new Error(`${this.name} does not listen to ${name}`);
    for (let attempt = 1; ; ++attempt) {
      const signal = AbortSignal.timeout(ATTEMPT_MS);
      const heard = once(consumer, 'message', { signal }).then(
        ([message]) => String(message) === text,
        () => false,
      );
      say();
      if (await heard) return;
      if (attempt === ATTEMPTS) throw new Error(`${this.name} does not hear ${name}`);
    }
  }
}
