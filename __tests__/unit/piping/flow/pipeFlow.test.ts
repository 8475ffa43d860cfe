/** Pipes flow for those who want what they carry: who acts on a change, when, and with how many messages. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Router } from 'mediasoup/types';
import { ObjectTree } from '../../../../src/core/objectTree.ts';
import { PipeFlow } from '../../../../src/piping/flow/pipeFlow.ts';
import { Streams } from '../../../../src/piping/streams.ts';
import { addRouter, createTransport, ImaginaryObject } from '../../../helpers/imaginaryObjects.ts';

const ID = 'stream';
/** After the last one has gone a pipe flows on for so long. */
const SLEEPS_AFTER_MS = 200;
/** A controller does what others should have done after this time at the earliest, and the latest. */
const [LOOKS_FROM_MS, LOOKS_UNTIL_MS] = [1500, 2500];

/** A Consumer or a Producer, which notes what is asked of it, and can refuse that. */
class Pausable extends ImaginaryObject {
  readonly asked: string[] = [];
  refuses = false;
  paused = false;

  constructor(properties: object) {
    super(properties);
    Object.assign(this, { paused: false, ...properties });
    this.pause = () => this.#ask(true);
    this.resume = () => this.#ask(false);
  }

  /** Somebody else has done it. */
  turn(paused: boolean): void {
    if (this.paused === paused) return;
    this.paused = paused;
    this.observer.safeEmit(paused ? 'pause' : 'resume');
  }

  async #ask(paused: boolean): Promise<void> {
    this.asked.push(paused ? 'pause' : 'resume');
    if (this.refuses) throw new Error('its server does not answer');
    this.turn(paused);
  }
}

let next = 1;

function add(transport: ImaginaryObject, what: 'producer' | 'consumer', kind: string, paused: boolean): Pausable {
  const score = what === 'producer' ? [] : { score: 10, producerScore: 0, producerScores: [0] };
  const id = what === 'producer' ? ID : `consumer ${next++}`;
  const object = new Pausable({ id, producerId: ID, kind, paused, producerPaused: false, score });
  transport.contain(object, `new${what}`);
  return object;
}

/** A stream whose pipes lead from one Router to the next one. */
class Chain {
  readonly tree = new ObjectTree();
  readonly streams = new Streams(this.tree);
  readonly flow: PipeFlow;
  readonly routers: readonly ImaginaryObject[];
  /** The Consumers of the pipes, at their sources' ends. */
  readonly pipes: Pausable[] = [];

  constructor({
    ids = ['near', 'far'],
    kind = 'video',
    alone = false,
    domainOf = (router: Router): unknown => router.id,
    asleep = true,
  } = {}) {
    this.flow = new PipeFlow({ tree: this.tree, streams: this.streams, domainOf, alone });
    this.routers = ids.map(id => addRouter(this.tree, id));
    add(createTransport(this.routers[0]!), 'producer', kind, false);
    for (let index = 1; index < ids.length; ++index) {
      this.pipes.push(add(createTransport(this.routers[index - 1]!, ids[index]), 'consumer', kind, asleep));
      add(createTransport(this.routers[index]!, ids[index - 1]), 'producer', kind, false);
    }
  }

  get last(): ImaginaryObject {
    return this.routers.at(-1)!;
  }

  get asked(): string[][] {
    return this.pipes.map(({ asked }) => asked);
  }

  view(paused: boolean, kind = 'video'): Pausable {
    return add(createTransport(this.last), 'consumer', kind, paused);
  }
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

const pass = (ms = 0): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('what a call of ours has changed is done at once', () => {
  test.each([true, false])(
    'with one message for a pipe: it wakes for the first one, and sleeps a moment after the last one (alone: %s)',
    async alone => {
      const chain = new Chain({ alone });
      const viewers = [chain.view(true), chain.view(true)];
      await pass();
      expect(chain.asked).toEqual([[]]);
      await Promise.all(viewers.map(viewer => viewer.resume()));
      await pass();
      expect(chain.asked).toEqual([['resume']]);
      await viewers[0]!.pause();
      await pass(SLEEPS_AFTER_MS + 1);
      await viewers[1]!.pause();
      await pass(SLEEPS_AFTER_MS - 1);
      expect(chain.asked).toEqual([['resume']]);
      await pass(1);
      expect(chain.asked).toEqual([['resume', 'pause']]);
      await pass(10 * LOOKS_UNTIL_MS);
      expect(chain.asked).toEqual([['resume', 'pause']]);
    },
  );

  test('a viewer that is closed and made anew costs no message', async () => {
    const chain = new Chain({ alone: true });
    const viewer = chain.view(true);
    await viewer.resume();
    await pass();
    viewer.close();
    await pass(SLEEPS_AFTER_MS - 1);
    await chain.view(true).resume();
    await pass(LOOKS_UNTIL_MS);
    expect(chain.asked).toEqual([['resume']]);
  });

  test('a pipe that flows for others is told once that it flows for us too, and once that it does no more', async () => {
    const chain = new Chain({ asleep: false });
    const [ours, theirs] = [chain.view(true), chain.view(false)];
    await ours.resume();
    await pass();
    expect(chain.asked).toEqual([['resume']]);
    theirs.close();
    await pass(LOOKS_UNTIL_MS);
    // Its source's server lets it flow on as long as any of its clients wants it.
    chain.pipes[0]!.pause = async () => void chain.pipes[0]!.asked.push('pause');
    await ours.pause();
    await pass(10 * LOOKS_UNTIL_MS);
    expect(chain.asked).toEqual([['resume', 'pause']]);
  });

  test('what is refused is tried again, a while later', async () => {
    const chain = new Chain();
    const [pipe] = chain.pipes as [Pausable];
    pipe.refuses = true;
    await chain.view(true).resume();
    await pass();
    pipe.refuses = false;
    await pass(LOOKS_FROM_MS - 1);
    expect([pipe.asked, pipe.paused]).toEqual([['resume'], true]);
    await pass(LOOKS_UNTIL_MS - LOOKS_FROM_MS + 1);
    expect([pipe.asked, pipe.paused]).toEqual([['resume', 'resume'], false]);
  });

  test('all pipes on the way flow for somebody who is expected, before that one is there', async () => {
    const chain = new Chain({ ids: ['near', 'middle', 'far'], kind: 'audio' });
    const expected = chain.flow.expect(ID, chain.last as unknown as Router);
    await expected.flowing();
    expect(chain.pipes.map(({ paused }) => paused)).toEqual([false, false]);
    expected.release();
    await pass(2 * SLEEPS_AFTER_MS);
    expect(chain.pipes.map(({ paused }) => paused)).toEqual([true, true]);
  });

  test('a listener’s resume() is answered when its pipe flows', async () => {
    const chain = new Chain({ kind: 'audio' });
    const listener = chain.view(true, 'audio');
    await listener.resume();
    expect(chain.pipes[0]!.paused).toBe(false);
  });

  test('a pipe flows as long as one that leads on is awake', async () => {
    const chain = new Chain({ ids: ['near', 'middle', 'far'], alone: true });
    const viewer = chain.view(true);
    await viewer.resume();
    await pass();
    expect(chain.pipes.map(({ paused }) => paused)).toEqual([false, false]);
    await viewer.pause();
    await pass(2 * SLEEPS_AFTER_MS);
    expect(chain.pipes.map(({ paused }) => paused)).toEqual([true, true]);
  });
});

describe('what others have changed is theirs to do', () => {
  test('and is done by us if they have not, both ways', async () => {
    const chain = new Chain();
    const viewer = chain.view(true);
    viewer.turn(false);
    await pass(LOOKS_FROM_MS - 1);
    expect(chain.asked).toEqual([[]]);
    await pass(LOOKS_UNTIL_MS - LOOKS_FROM_MS + 1);
    expect(chain.asked).toEqual([['resume']]);
    viewer.turn(true);
    await pass(LOOKS_FROM_MS - 1);
    expect(chain.asked).toEqual([['resume']]);
    await pass(LOOKS_UNTIL_MS - LOOKS_FROM_MS + 1);
    expect(chain.asked).toEqual([['resume', 'pause']]);
  });

  test('and costs us nothing if they have', async () => {
    const chain = new Chain();
    chain.view(true).turn(false);
    await pass(100);
    chain.pipes[0]!.turn(false);
    await pass(10 * LOOKS_UNTIL_MS);
    expect(chain.asked).toEqual([[]]);
  });

  test('but that we have said that nobody wants it is taken back', async () => {
    const chain = new Chain({ asleep: false });
    const [pipe] = chain.pipes as [Pausable];
    // It flows for others all the time.
    pipe.pause = async () => void pipe.asked.push('pause');
    const [ours, theirs] = [chain.view(true), chain.view(true)];
    await ours.resume();
    await ours.pause();
    await pass(LOOKS_UNTIL_MS);
    expect(pipe.asked).toEqual(['resume', 'pause']);
    theirs.turn(false);
    await pass(LOOKS_UNTIL_MS);
    expect(pipe.asked).toEqual(['resume', 'pause', 'resume']);
    await pass(10 * LOOKS_UNTIL_MS);
    expect(pipe.asked).toHaveLength(3);
  });

  test('but a pipe that falls asleep though it is missed is woken at once', async () => {
    const chain = new Chain({ asleep: false });
    chain.view(false);
    await pass(LOOKS_UNTIL_MS);
    chain.pipes[0]!.turn(true);
    await pass();
    expect(chain.asked).toEqual([['resume']]);
  });

  test('and a pipe that sleeps though it is missed, when it comes into sight, too', async () => {
    const chain = new Chain();
    chain.view(false);
    const another = add(createTransport(chain.routers[0]!, 'far'), 'consumer', 'video', true);
    await pass();
    expect(another.asked).toEqual(['resume']);
  });
});

test('pipes within a domain, and to Routers that are not in sight, are left alone', async () => {
  const within = new Chain({ domainOf: () => 'all' });
  await within.view(true).resume();
  const outwards = new Chain();
  const away = add(createTransport(outwards.routers[0]!, 'elsewhere'), 'consumer', 'video', false);
  await pass(10 * LOOKS_UNTIL_MS);
  expect([within.asked, away.asked]).toEqual([[[]], []]);
});

test('an observer of its Router that nobody knows hears all audio, one that we have made what it was given', async () => {
  const chain = new Chain({ kind: 'audio', asleep: false });
  const properties = {
    id: 'levels',
    paused: false,
    addProducer: async () => undefined,
    removeProducer: async () => undefined,
  };
  const observer = new ImaginaryObject(properties);
  chain.last.contain(observer, 'newrtpobserver');
  await pass(LOOKS_UNTIL_MS);
  expect(chain.asked).toEqual([[]]);
  chain.flow.markOwn(observer as never);
  chain.view(false, 'audio').close();
  await pass(LOOKS_UNTIL_MS);
  expect(chain.asked).toEqual([['pause']]);
});

test('nothing is left of it when it has closed', async () => {
  const chain = new Chain();
  chain.view(false);
  chain.view(true).turn(false);
  chain.flow.close();
  expect(jest.getTimerCount()).toBe(0);
});
