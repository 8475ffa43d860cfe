/** Mirrors go on when another server shows their objects under other handles, and end when it does not show them. */
import { beforeEach, expect, test } from '@jest/globals';
import type { Consumer, DirectTransport, Producer, Router, Worker } from 'mediasoup/types';
import { onceClosed } from '../../../../src/core/onceClosed.ts';
import { resolveOptions } from '../../../../src/api/optionsSchema.ts';
import { nodeLimits } from '../../../../src/remote/client/nodeLimits.ts';
import { coreOf } from '../../../../src/remote/client/mirror.ts';
import { Mirrors } from '../../../../src/remote/client/mirrors.ts';
import type { Caller, MirrorCore } from '../../../../src/remote/client/mirrorCore.ts';
import type { ClassName } from '../../../../src/remote/protocol/classes.ts';
import { stepsOf } from '../../../helpers/steps.ts';

/** Requests of the mirrors to the server, with the handles that they had then. */
let asked: string[];
let disowned: object[];
let mirrors: Mirrors;

const caller: Caller = {
  call: async (target, method) => void asked.push(`${method} ${(target as MirrorCore).handle}`),
  send: () => undefined,
  closeObject: ({ handle, isBound }) => void asked.push(`close ${isBound ? handle : 'later'}`),
  closeMafaldaRouter: async () => undefined,
  closeLostMafaldaRouter: () => undefined,
  listen: ({ handle }, name, isListening) => void asked.push(`${isListening ? '' : 'un'}listen ${name} ${handle}`),
};

const parameters = { codecs: [], encodings: [] };
const states: Partial<Record<ClassName, object>> = {
  SharedWorker: { pid: 1 },
  DirectTransport: { type: 'direct' },
  Producer: { kind: 'audio', type: 'simple', rtpParameters: parameters, consumableRtpParameters: parameters },
  Consumer: { kind: 'audio', type: 'simple', rtpParameters: parameters, producerId: 'mic' },
};

function add<T extends object>(
  handle: number,
  className: ClassName,
  id: string,
  parent?: number,
  state: object = {},
): T {
  const all = { id, paused: false, ...states[className], ...state };
  mirrors.add('room', { handle, className, id, parent, appData: {}, state: all }, 1);
  return mirrors.objectOf(handle) as T;
}

beforeEach(begin);

function begin(): void {
  [asked, disowned] = [[], []];
  mirrors = new Mirrors(caller, resolveOptions('limits', nodeLimits, {}), {
    onWorker: () => undefined,
    onRouter: () => undefined,
    onWorkerDied: () => undefined,
    onDisowned: (_id, object) => void disowned.push(object),
    onBound: () => undefined,
    hasClosed: () => false,
  });
  add(1, 'SharedWorker', 'worker');
  add(2, 'Router', 'router', 1);
  add(3, 'DirectTransport', 'transport', 2);
}

/** Takes all steps. */
function end(steps: Iterator<void, void>): void {
  while (!steps.next().done);
}

/** The present server shows the Worker and the Router, by handles of its own. */
function moveTo(worker: number, router: number): void {
  mirrors.unbind(new Error('the server is gone'));
  add(worker, 'SharedWorker', 'worker');
  add(router, 'Router', 'router', worker);
}

test('an object under the same id is the same object, with what has changed, and its listeners', async () => {
  const consumer = add<Consumer>(4, 'Consumer', 'viewer', 3);
  const told: string[] = [];
  consumer.on('rtp', () => told.push('rtp'));
  consumer.on('producerpause', () => told.push('producerpause'));
  consumer.observer.on('close', () => told.push('close'));
  moveTo(11, 12);
  const router = mirrors.objectOf(12) as Router;
  router.observer.on('newtransport', () => told.push('newtransport'));
  add(13, 'DirectTransport', 'transport', 12);
  expect(add(14, 'Consumer', 'viewer', 13, { producerPaused: true })).toBe(consumer);
  await consumer.requestKeyFrame();
  expect([told, consumer.producerPaused]).toEqual([['producerpause'], true]);
  expect(asked).toEqual(['listen rtp 4', 'listen rtp 14', 'requestKeyFrame 14']);
  expect(mirrors.size).toBe(4);
});

test('objects that are not shown end with the reasons that can be seen', () => {
  const producer = add<Producer>(4, 'Producer', 'mic', 3);
  const viewer = add<Consumer>(5, 'Consumer', 'viewer', 3);
  const other = add<Consumer>(6, 'Consumer', 'other', 3, { producerId: 'lives' });
  const gone = add<DirectTransport>(7, 'DirectTransport', 'gone', 2);
  const within = add<Producer>(8, 'Producer', 'within', 7);
  const told: string[] = [];
  for (const [name, consumer] of Object.entries({ viewer, other })) {
    consumer.on('producerclose', () => told.push(`${name}: producerclose`));
    consumer.observer.on('close', () => told.push(`${name}: close`));
  }
  within.on('transportclose', () => told.push('within: transportclose'));
  moveTo(11, 12);
  add(13, 'DirectTransport', 'transport', 12);
  add(14, 'Producer', 'lives', 13);
  expect(told).toEqual([]);
  end(mirrors.endMissing('room'));
  expect([producer, viewer, other, gone, within].every(({ closed }) => closed)).toBe(true);
  expect(told).toEqual(['within: transportclose', 'viewer: producerclose', 'viewer: close', 'other: close']);
  expect((mirrors.objectOf(13) as DirectTransport).closed).toBe(false);
});

test('a stream and its copy, which have the same id, are told apart by what they are in', () => {
  add(4, 'PipeTransport', 'link', 2, { type: 'pipe' });
  const [origin, copy] = [add<Producer>(5, 'Producer', 'mic', 3), add<Producer>(6, 'Producer', 'mic', 4)];
  moveTo(11, 12);
  add(13, 'PipeTransport', 'link', 12, { type: 'pipe' });
  add(14, 'DirectTransport', 'transport', 12);
  expect([add(15, 'Producer', 'mic', 13), add(16, 'Producer', 'mic', 14)]).toEqual([copy, origin]);
  expect(mirrors.objectOf(15)).toBe(copy);
});

test('what the application closes in between is closed here at once, and its Worker ends with its last Router', () => {
  const transport = mirrors.objectOf(3) as DirectTransport;
  const worker = mirrors.objectOf(1) as { closed: boolean } & object;
  mirrors.unbind(new Error('the server is gone'));
  transport.close();
  expect([transport.closed, asked]).toEqual([true, ['close later']]);
  end(mirrors.endMissing('room'));
  expect(worker.closed).toBe(true);
  expect(mirrors.size).toBe(0);
});

test('an object that another client has taken over is no longer this one’s', () => {
  const core = mirrors.mirrorOf(3)!;
  core.markCreatedHere();
  expect(mirrors.ownIn('room')).toEqual([core]);
  mirrors.disown([3, 99]);
  expect([mirrors.ownIn('room'), disowned]).toEqual([[], [core.object]]);
  expect((core.object as DirectTransport).closed).toBe(false);
});

/** Takes steps. @returns the largest number of mirrors that one of them has ended */
function mostIn(steps: Iterator<void, void>, told: string[]): number {
  for (let most = 0; ;) {
    const before = told.length;
    const { done } = steps.next();
    most = Math.max(most, told.length - before);
    if (done) return most;
  }
}

/** Two Transports with Producers, in a second Router too. */
function fill(producers: number): { told: string[]; all: { closed: boolean }[] } {
  const told: string[] = [];
  const all: (DirectTransport | Producer | Router)[] = [add<Router>(4, 'Router', 'second', 1)];
  add<DirectTransport>(5, 'DirectTransport', 'other', 2);
  add<DirectTransport>(6, 'DirectTransport', 'further', 4);
  for (const [index, parent] of [3, 5, 6].entries()) {
    all.push(mirrors.objectOf(parent) as DirectTransport);
    for (let producer = 0; producer < producers; ++producer)
      all.push(add<Producer>(10 + index * producers + producer, 'Producer', `${parent}-${producer}`, parent));
  }
  for (const object of [...all, mirrors.objectOf(2) as Router, mirrors.objectOf(1) as Worker])
    onceClosed(object, () => told.push('id' in object ? object.id : 'worker'));
  return { told, all };
}

test('many end step by step, in the order in which all would end at once, and count as closed from the first step on', () => {
  const atOnce = fill(3);
  mirrors.mirrorOf(1)!.end(undefined, []);
  begin();
  const { told, all } = fill(3);
  const steps = mirrors.endAll();
  expect(all.every(({ closed }) => closed)).toBe(true);
  expect([told, mirrors.objectOf(3)]).toEqual([[], all[1]]);
  expect(mostIn(steps, told)).toBe(1);
  expect(told).toEqual(atOnce.told);
  expect([mirrors.size, asked]).toEqual([0, []]);
});

test('an object with many in it that closes at the server ends step by step', () => {
  const { told } = fill(100);
  expect(mostIn(mirrors.close(2, undefined), told)).toBe(1);
  expect(told).toHaveLength(203);
  expect([mirrors.objectOf(2), mirrors.size]).toEqual([undefined, 103]);
  expect(() => [...mirrors.close(4, { name: 'died' })]).toThrow('does not close by died');
});

test('an application that closes what ends already hears of it at once, and nothing is sent', () => {
  const { told, all } = fill(2);
  const steps = mirrors.endAll();
  (all[1] as DirectTransport).close();
  expect(told).toEqual(['3-0', '3-1', 'transport']);
  expect([...steps].length).toBeGreaterThan(0);
  expect(told.filter(id => id === 'transport')).toHaveLength(1);
  expect(asked).toEqual([]);
});

test('what a server does not show any more ends step by step, and a late one goes on', () => {
  const { told } = fill(50);
  moveTo(501, 502);
  add(503, 'DirectTransport', 'transport', 502);
  const steps = mirrors.endMissing('room');
  steps.next();
  add(504, 'Producer', '3-49', 503);
  expect(mostIn(steps, told)).toBe(1);
  expect(told).toHaveLength(50 - 1 + 2 * 51 + 1);
  expect((mirrors.objectOf(504) as Producer).closed).toBe(false);
});

test('what is missing is found without a look at all for each', () => {
  const steps = [10, 100].map(many => {
    begin();
    fill(many);
    for (let index = 0; index < many; ++index)
      add(1000 + index, 'Consumer', `viewer ${index}`, 3, { producerId: `5-${index}` });
    moveTo(5001, 5002);
    add(5003, 'DirectTransport', 'other', 5002);
    for (let index = 0; index < many; ++index) add(6000 + index, 'Producer', `5-${index}`, 5003);
    return stepsOf(() => end(mirrors.endMissing('room')));
  });
  expect(steps[1]!).toBeLessThan(steps[0]! * 11);
});

test('the object that a call has created is known by its key, however many there are', () => {
  const steps = [10, 1000].map(many => {
    begin();
    for (let handle = 10; handle < 10 + many; ++handle) {
      const addition = { handle, className: 'DirectTransport', id: `of ${handle}`, parent: 2, appData: {} } as const;
      mirrors.add('room', { ...addition, state: { id: `of ${handle}`, type: 'direct' }, key: `key ${handle}` }, 1);
    }
    const asking = stepsOf(() => expect(mirrors.mirrorOfKey(`key ${many}`)?.id).toBe(`of ${many}`));
    const made = mirrors.objectOf(many) as DirectTransport;
    made.close();
    expect(mirrors.mirrorOfKey(`key ${many}`)).toBeUndefined();
    return asking;
  });
  expect(steps[1]).toBe(steps[0]);
});

test('an event that only listeners get is asked for with its first listener, and no longer with its last', () => {
  add(4, 'Producer', 'mic', 3);
  const consumer = add<Consumer>(5, 'Consumer', 'ear', 3);
  const [one, other] = [() => undefined, () => undefined];
  consumer.on('score', one).once('rtp', one).prependListener('rtp', other);
  expect(asked).toEqual(['listen rtp 5']);
  consumer.safeEmit('rtp', Buffer.from('packet'));
  expect(asked).toEqual(['listen rtp 5']);
  consumer.off('rtp', other);
  expect(asked).toEqual(['listen rtp 5', 'unlisten rtp 5']);
  consumer.addListener('rtp', one).prependOnceListener('rtp', other).removeListener('rtp', one);
  consumer.safeEmit('rtp', Buffer.from('packet'));
  expect(asked.slice(2)).toEqual(['listen rtp 5', 'unlisten rtp 5']);
  consumer.on('rtp', one).removeAllListeners('rtp');
  expect(asked.slice(4)).toEqual(['listen rtp 5', 'unlisten rtp 5']);
});

test('an event that comes to its creator, who never listens, is not asked for any more, until there is a listener', () => {
  const consumer = add<Consumer>(5, 'Consumer', 'ear', 3);
  coreOf(consumer)!.markCreatedHere();
  const hear = (times: number): void => {
    for (let time = 0; time < times; ++time) coreOf(consumer)!.emit('rtp', [Buffer.from('packet')]);
  };
  hear(99);
  consumer.once('rtp', () => undefined);
  hear(1);
  expect(asked).toEqual(['unlisten rtp 5']);
  consumer.on('rtp', () => undefined);
  hear(200);
  expect(asked.slice(1)).toEqual(['listen rtp 5']);
  const other = add<Consumer>(6, 'Consumer', 'other ear', 3);
  coreOf(other)!.markCreatedHere();
  for (let time = 0; time < 100; ++time) coreOf(other)!.emit('rtp', [Buffer.from('packet')]);
  expect(asked.slice(2)).toEqual(['unlisten rtp 6']);
});

test('what a listener throws is told to those who listen for that, also if these throw too', () => {
  const producer = add<Producer>(4, 'Producer', 'mic', 3);
  const thrown = new Error('by the application');
  const told: unknown[] = [];
  producer.on('score', () => {
    throw thrown;
  });
  producer.on('listenererror', (name, error) => {
    told.push(name, error);
    throw new Error('again');
  });
  expect(producer.safeEmit('score', [])).toBe(true);
  expect(told).toEqual(['score', thrown]);
});
