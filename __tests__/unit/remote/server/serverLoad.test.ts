import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { NodeFullError } from '../../../../src/api/errors.ts';
import type { LoadReport } from '../../../../src/api/load.ts';
import type { MafaldaApi } from '../../../../src/index.ts';
import { ImaginaryObject } from '../../../helpers/imaginaryObjects.ts';
import { ServerLoad } from '../../../../src/remote/server/serverLoad.ts';

const CORES = 2;
const counts = { routers: 0, transports: 0, producers: 0, consumers: 0, dataProducers: 0, dataConsumers: 0 };

/** A Mafalda that has nothing but load. */
class LoadedMafalda {
  /** Of its one Worker, in percent of a core. */
  cpu = 0;
  /** Load that it says itself, in percent. */
  load = 0;

  get loadReport(): LoadReport {
    const hosts = [{ cores: CORES, cpu: 0, memory: { total: 1, free: 1 } }];
    return { load: this.load, workers: [{ id: 'worker', cpu: this.cpu, ...counts }], hosts };
  }
}

let now = 0;
let mafalda: LoadedMafalda;

beforeEach(() => {
  now = 0;
  mafalda = new LoadedMafalda();
});

afterEach(() => {
  jest.useRealTimers();
});

function loadOf(maxLoad?: number): ServerLoad {
  const load = new ServerLoad(mafalda as unknown as MafaldaApi, maxLoad, () => now);
  load.report();
  return load;
}

/** @returns how many of these calls were admitted; all of them are under way */
function admit(load: ServerLoad, count: number, method = 'createWebRtcTransport'): number {
  let admitted = 0;
  for (let call = 0; call < count; ++call) {
    try {
      load.admit(method);
      ++admitted;
    } catch (error) {
      expect(error).toBeInstanceOf(NodeFullError);
    }
  }
  return admitted;
}

test('without a limit nothing is refused', () => {
  mafalda.cpu = 100 * CORES;
  mafalda.load = 100;
  expect(admit(loadOf(), 1000)).toBe(1000);
});

test('a burst is refused by its own load: 2 % of a core for each', () => {
  expect(admit(loadOf(30), 1000)).toBe(30);
});

test('the error has load and limit', () => {
  mafalda.cpu = 120;
  expect(() => loadOf(60).admit('createPlainTransport')).toThrow(
    expect.objectContaining({ load: 60, maxLoad: 60, message: expect.stringContaining('60.0 %') }),
  );
});

test('what the Workers use counts, and what the Mafalda says if that is more', () => {
  mafalda.cpu = 40;
  expect(admit(loadOf(30), 100)).toBe(10);
  mafalda.load = 31;
  expect(admit(loadOf(30), 100)).toBe(0);
});

test('what has failed does not count, and what has succeeded does until a report has it', () => {
  const load = loadOf(10);
  for (let call = 0; call < 100; ++call) load.admit('createWebRtcTransport')(false);
  for (let call = 0; call < 10; ++call) load.admit('createWebRtcTransport')(true);
  expect(admit(load, 1)).toBe(0);
  now += 1000;
  load.report();
  expect(admit(load, 1)).toBe(0);
  now += 1500;
  load.report();
  expect(admit(load, 100)).toBe(10);
});

test('what has closed makes room at once, before a report has it', () => {
  const load = loadOf(10);
  const created = Array.from({ length: 10 }, () => new ImaginaryObject({}));
  for (const object of created) load.admit('createWebRtcTransport')(true, object);
  expect(admit(load, 1)).toBe(0);
  for (const object of created.slice(0, 4)) object.close();
  expect(admit(load, 10)).toBe(4);
});

test.each([
  ['createWebRtcTransport', 0],
  ['createPlainTransport', 0],
  ['createPipeTransport', 0],
  ['createDirectTransport', 0],
  ['createAudioLevelObserver', 0],
  ['createActiveSpeakerObserver', 0],
  ['createWorker', 0],
  ['createMafaldaRouter', 5],
  ['createRouter', 5],
  ['produce', 5],
  ['consume', 5],
  ['consumeData', 5],
  ['openLink', 5],
  ['offerPipe', 5],
  ['acceptPipe', 5],
  ['pipeToRouter', 5],
])('of 5 calls of %s a full server admits %i', (method, admitted) => {
  mafalda.load = 99;
  expect(admit(loadOf(80), 5, method)).toBe(admitted);
});

test('consumers count, a tenth of a transport each', () => {
  const load = loadOf(30);
  expect(admit(load, 195, 'consume')).toBe(195);
  expect(admit(load, 100)).toBe(10);
});

test('with a limit reports have what the server counts, without one what the Mafalda says', () => {
  mafalda.cpu = 20;
  mafalda.load = 11;
  const limited = loadOf(60);
  for (let call = 0; call < 5; ++call) limited.admit('createWebRtcTransport');
  expect([limited.report().load, limited.current]).toEqual([15, 15]);
  const free = loadOf();
  for (let call = 0; call < 5; ++call) free.admit('createWebRtcTransport');
  expect([free.report().load, free.current]).toEqual([11, 11]);
});

test('reports come at the interval, and within 100 ms after a change, but no more often than that', () => {
  jest.useFakeTimers();
  const load = loadOf();
  const reports: number[] = [];
  load.watch(1000, report => reports.push(report.load));
  jest.advanceTimersByTime(3000);
  expect(reports).toEqual([0, 0, 0]);
  mafalda.load = 2.9;
  jest.advanceTimersByTime(850);
  expect(reports).toHaveLength(3);
  mafalda.load = 3;
  jest.advanceTimersByTime(100);
  expect(reports).toEqual([0, 0, 0, 3]);
  reports.length = 0;
  for (let ms = 0; ms < 1000; ++ms) {
    mafalda.load = 3 + (ms % 2) * 50;
    jest.advanceTimersByTime(1);
  }
  expect(reports.length).toBeLessThanOrEqual(11);
  load.close();
  reports.length = 0;
  mafalda.load = 90;
  jest.advanceTimersByTime(5000);
  expect(reports).toEqual([]);
});
