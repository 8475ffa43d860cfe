/** The calls that are made on each subject in turn, and the times that they take. */
import { rtpParametersOf, type Room, type Subject, type SubjectTransport } from './subject.ts';

export class Times {
  readonly #times = new Map<string, Map<string, number[]>>();

  note(what: string, who: string, value: number): void {
    const ofWhat = this.#times.get(what) ?? new Map<string, number[]>();
    this.#times.set(what, ofWhat);
    ofWhat.set(who, [...(ofWhat.get(who) ?? []), value]);
  }

  async time<T>(what: string, who: string, call: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await call();
    const ms = performance.now() - started;
    this.note(what, who, ms);
    return result;
  }

  p50(what: string, who: string): number | undefined {
    const values = this.#times.get(what)?.get(who);
    return values && [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
  }

  mean(what: string, who: string): number | undefined {
    const values = this.#times.get(what)?.get(who);
    return values && values.reduce((sum, value) => sum + value, 0) / values.length;
  }

  clear(): void {
    this.#times.clear();
  }
}

export const calls = ['createWebRtcTransport', 'produce', 'consume'] as const;

/** The three calls on one server. */
export async function measureCalls(
  times: Times,
  name: string,
  room: Pick<Room, 'createTransport'>,
  ssrc: number,
): Promise<void> {
  const transport = await times.time('createWebRtcTransport', name, () => room.createTransport(0));
  const id = await times.time('produce', name, () => transport.produce('audio', rtpParametersOf('audio', ssrc)));
  await times.time('consume', name, () => transport.consume(id));
  transport.close();
}

/** CPU of the three calls, on the controller and the server: on a machine with other work that says more than times do. */
export async function measureCallsCpu(
  times: Times,
  name: string,
  room: Pick<Room, 'createTransport'>,
  count: number,
  cpu: () => Promise<number>,
): Promise<void> {
  const transports: SubjectTransport[] = [];
  const ids: string[] = [];
  const acts: Record<(typeof calls)[number], (index: number) => Promise<unknown>> = {
    createWebRtcTransport: async () => transports.push(await room.createTransport(0)),
    produce: async index => ids.push(await transports[index]!.produce('audio', rtpParametersOf('audio', index + 1))),
    consume: index => transports[index]!.consume(ids[index]!),
  };
  for (const call of calls) {
    const before = await cpu();
    for (let index = 0; index < count; ++index) await acts[call](index);
    times.note(`${call}: CPU`, name, ((await cpu()) - before) / count);
  }
  for (const transport of transports) transport.close();
}

export async function measurePipes(times: Times, subject: Subject): Promise<void> {
  const room = await subject.openRoom(2);
  const [sender, receiver] = await Promise.all([room.createTransport(0), room.createTransport(1)]);
  const first = await sender.produce('audio', rtpParametersOf('audio', 1));
  await times.time('consume, first pipe', subject.name, () => receiver.consume(first));
  const second = await sender.produce('audio', rtpParametersOf('audio', 2));
  await times.time('consume, second stream of a link', subject.name, () => receiver.consume(second));
  await times.time('consume, piped already', subject.name, () => receiver.consume(second));
  await room.close();
}

export async function measurePipelined(
  times: Times,
  { name }: Subject,
  room: Room,
  count: number,
  cpu: () => Promise<number>,
): Promise<void> {
  const transport = await room.createTransport(0);
  const id = await transport.produce('audio', rtpParametersOf('audio', 1));
  const before = await cpu();
  const started = performance.now();
  await Promise.all(Array.from({ length: count }, () => transport.consume(id)));
  times.note('pipelined consumes per second', name, (1000 * count) / (performance.now() - started));
  times.note('pipelined consume: CPU', name, ((await cpu()) - before) / count);
  transport.close();
}

/** Each with a Transport to send audio and video and one to receive; each consumes all that the others have. */
export async function measureJoins(
  times: Times,
  subject: Subject,
  nodes: number,
  people: number,
  cpu: () => Promise<number>,
): Promise<void> {
  const what = `${people} people join, ${nodes === 1 ? 'one node' : 'two nodes'}`;
  const before = await cpu();
  const started = performance.now();
  // The room is part of it: this library makes its Routers with the first Transports.
  const room = await subject.openRoom(nodes);
  const joined: { receiver: SubjectTransport; producers: string[] }[] = [];
  for (let person = 0; person < people; ++person) {
    const node = person % nodes;
    const [sender, receiver] = await Promise.all([room.createTransport(node), room.createTransport(node)]);
    const producers = await Promise.all(
      (['audio', 'video'] as const).map((kind, index) =>
        sender.produce(kind, rtpParametersOf(kind, 10 * person + 2 * index + 1)),
      ),
    );
    const others = joined.flatMap(other => other.producers);
    await Promise.all([
      ...others.map(id => receiver.consume(id, true)),
      ...joined.flatMap(other => producers.map(id => other.receiver.consume(id, true))),
    ]);
    joined.push({ receiver, producers });
  }
  times.note(`${what}: wall`, subject.name, performance.now() - started);
  times.note(`${what}: CPU`, subject.name, (await cpu()) - before);
  await room.close();
}
