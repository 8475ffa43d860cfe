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

test('a client that is sent back and forth between servers goes there at once only the first time', () => {
  const started = performance.now();
  const left = [0, 0];
  for (const minute of [0, 1]) {
    search.leave(servers[0]!);
    expect(told.at(-1)).toBe('connect two');
    search.found();
    while (performance.now() - started < 50_000 + minute * 120_000) {
      search.leave(servers[left[minute]! % 2]!);
      // A server that says it again changes nothing.
      search.leave(servers[left[minute]! % 2]!);
      const before = told.length;
      while (told.length === before) jest.advanceTimersByTime(10);
      search.found();
      ++left[minute]!;
    }
    jest.advanceTimersByTime(60_000);
  }
  for (const count of left) {
    expect(count).toBeGreaterThan(10);
    expect(count).toBeLessThan(40);
  }
});
