/** Mirrors go on when another server shows their objects under other handles, and end when it does not show them. */
import { beforeEach, expect, test } from '@jest/globals';
import type { Consumer, DirectTransport, Producer, Router } from 'mediasoup/types';
import { resolveOptions } from '../../../../src/api/optionsSchema.ts';
import { nodeLimits } from '../../../../src/remote/client/nodeLimits.ts';
import { Mirrors } from '../../../../src/remote/client/mirrors.ts';
import type { Caller, MirrorCore } from '../../../../src/remote/client/mirrorCore.ts';
import type { ClassName } from '../../../../src/remote/protocol/classes.ts';

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
  listen: ({ handle }, name) => void asked.push(`listen ${name} ${handle}`),
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

beforeEach(() => {
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
});

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
  mirrors.endMissing('room');
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
  mirrors.endMissing('room');
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

test('many close in turns with other work, each after the object that it is in has begun to', async () => {
  const transport = mirrors.objectOf(3) as DirectTransport;
  const producers = ['one', 'two', 'three'].map((id, index) => add<Producer>(4 + index, 'Producer', id, 3));
  const closedTransports: boolean[] = [];
  for (const producer of producers) {
    producer.on('transportclose', () => {
      closedTransports.push(transport.closed);
      // The turn is over when this returns, on a busy machine too.
      const until = performance.now() + 30;
      while (performance.now() < until);
    });
  }
  const closing = mirrors.closeAllInTurns();
  await new Promise<void>(resolve => process.nextTick(resolve));
  expect(producers.filter(({ closed }) => closed)).toHaveLength(1);
  await closing;
  expect(closedTransports).toEqual([true, true, true]);
  expect([mirrors.size, transport.closed]).toEqual([0, true]);
});
