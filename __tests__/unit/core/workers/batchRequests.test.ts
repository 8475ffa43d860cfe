/** Requests to a real Worker: how many system calls they take, and that the last of them arrives. */
import { afterEach, expect, jest, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import * as mediasoup from 'mediasoup';
import type { Worker } from 'mediasoup/types';
import { batchingRequests } from '../../../../src/core/workers/batchRequests.ts';

interface Started {
  worker: Worker;
  child: ChildProcess;
  /** Writes to the pipe of requests so far, each a system call. */
  writes: () => number;
}

const workers: Worker[] = [];

afterEach(() => {
  for (const worker of workers.splice(0)) worker.close();
});

async function start(): Promise<Started> {
  let child!: ChildProcess;
  const note = (message: unknown): void => void (child = (message as { process: ChildProcess }).process);
  diagnostics.subscribe('child_process', note);
  const starting = batchingRequests(() => mediasoup.createWorker());
  diagnostics.unsubscribe('child_process', note);
  const worker = await starting;
  workers.push(worker);
  const socket = child.stdio[3] as Socket;
  const [write, writev] = [jest.spyOn(socket, '_write'), jest.spyOn(socket, '_writev' as '_write')];
  return { worker, child, writes: () => write.mock.calls.length + writev.mock.calls.length };
}

test('of requests that are made at once the first is written by itself, the others together', async () => {
  const { worker, writes } = await start();
  const routers = await Promise.all(Array.from({ length: 10 }, () => worker.createRouter()));
  expect(new Set(routers.map(({ id }) => id)).size).toBe(10);
  expect(writes()).toBe(2);
});

test('requests of promises that settle together go together too, a single request at once', async () => {
  const { worker, writes } = await start();
  const ready = Promise.resolve();
  await Promise.all(Array.from({ length: 10 }, () => ready.then(() => worker.getResourceUsage())));
  expect(writes()).toBe(2);
  const usage = worker.getResourceUsage();
  expect(writes()).toBe(3);
  await usage;
  expect(writes()).toBe(3);
});

test('a long burst is written in parts, so that the Worker need not wait for its last request', async () => {
  const { worker, writes } = await start();
  const dumps = Array.from({ length: 100 }, () => worker.dump());
  const during = writes();
  expect([during > 1, during < 20]).toEqual([true, true]);
  await Promise.all(dumps);
  expect(writes()).toBe(during + 1);
});

test('the message that closes a Worker arrives, also right after a request', async () => {
  const { worker, child } = await start();
  const told: string[] = [];
  child.stderr!.on('data', text => told.push(String(text)));
  const closed = once(child, 'close');
  const requests = [worker.dump(), worker.dump()];
  worker.close();
  expect((await Promise.allSettled(requests)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await closed).toEqual([0, null]);
  // A Worker whose pipe ends without that message says so. Its answers to the requests may find the pipe closed.
  expect(told.join('')).not.toContain('channel remotely closed');
});

test('processes that are started by others, and later, are left alone', async () => {
  const { worker } = await start();
  const { spawn } = await import('node:child_process');
  const other = spawn('cat', { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  expect(Object.hasOwn(other.stdio[3]!, 'write')).toBe(false);
  const ended = once(other, 'exit');
  other.kill();
  await ended;
  expect(worker.closed).toBe(false);
});
