/** Several servers are tried in turn, at once, and with pauses only where none lets the client in. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ServerSearch, type Candidate } from '../../../../src/remote/client/serverSearch.ts';

/** A server that notes what it is told. */
class ImaginaryServer implements Candidate {
  readonly name: string;
  isBarred = false;

  constructor(name: string) {
    this.name = name;
  }

  connect(): void {
    told.push(`connect ${this.name}`);
  }

  disconnect(): void {
    told.push(`disconnect ${this.name}`);
  }
}

let told: string[];
let servers: ImaginaryServer[];
let search: ServerSearch<ImaginaryServer>;

beforeEach(() => {
  jest.useFakeTimers();
  told = [];
  servers = ['one', 'two', 'three'].map(name => new ImaginaryServer(name));
  search = new ServerSearch(servers, ({ isBarred }) => isBarred);
});

afterEach(() => {
  search.stop();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

function failNext(): void {
  search.failed(search.target!);
  jest.advanceTimersByTime(1);
}

test('the next server is tried as soon as one has failed, and after all of them there is a pause', () => {
  search.begin(servers[1]!);
  failNext();
  failNext();
  expect(told).toEqual(['connect two', 'connect three', 'connect one']);
  failNext();
  expect(told).toHaveLength(3);
  jest.advanceTimersByTime(300);
  expect(told).toEqual(['connect two', 'connect three', 'connect one', 'connect two']);
});

test('a server that does not answer is given up, one that may only have lost a connection sooner', () => {
  search.returnTo(servers[0]!);
  jest.advanceTimersByTime(1000);
  jest.advanceTimersByTime(1);
  expect(told).toEqual(['connect one', 'disconnect one', 'connect two']);
  jest.advanceTimersByTime(3990);
  expect(told).toHaveLength(3);
  jest.advanceTimersByTime(20);
  expect(told.slice(3)).toEqual(['disconnect two', 'connect three']);
});

test('a server that is being left is not tried until it is lost', () => {
  search.leave(servers[0]!);
  failNext();
  failNext();
  jest.advanceTimersByTime(5000);
  expect(told.filter(what => what.startsWith('connect'))).not.toContain('connect one');
  search.lost(servers[0]!);
  jest.advanceTimersByTime(10_000);
  expect(told).toContain('connect one');
});

test('a server that has refused for good is left out, and only one search is under way', () => {
  servers[1]!.isBarred = true;
  search.beginAfter(servers[0]!);
  search.begin(servers[1]!);
  search.returnTo(servers[0]!);
  expect(told).toEqual(['connect three']);
  search.failed(servers[0]!);
  expect(search.target).toBe(servers[2]);
});

test('a server that is found ends the search', () => {
  search.begin(servers[0]!);
  search.found();
  jest.advanceTimersByTime(10_000);
  expect([told, search.target]).toEqual([['connect one'], undefined]);
});

test('a client that is sent back and forth between servers goes there at once some times, and then waits', () => {
  const hop = (round: number): number => {
    const before = performance.now();
    const connections = told.length;
    search.leave(servers[round % 2]!);
    // A server that says it again changes nothing.
    search.leave(servers[round % 2]!);
    while (told.length === connections) jest.advanceTimersByTime(10);
    search.found();
    return performance.now() - before;
  };
  for (const calmMs of [0, 60_000]) {
    jest.advanceTimersByTime(calmMs);
    const waits = Array.from({ length: 30 }, (_, round) => hop(round));
    expect(waits.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 0));
    for (const wait of waits.slice(20)) expect(wait).toBe(2000);
  }
});

test('so does one whose connections end again and again', () => {
  for (let round = 0; round < 21; ++round) {
    search.returnTo(servers[0]!, true);
    search.found();
  }
  expect(told).toHaveLength(20);
  search.returnTo(servers[0]!, true);
  jest.advanceTimersByTime(2000);
  expect(told).toHaveLength(20);
  search.found();
  search.returnTo(servers[0]!);
  expect(told).toHaveLength(21);
});
