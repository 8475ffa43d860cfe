/** A link whose other end somebody has lost sight of stays or closes, over imaginary objects. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ObjectTree } from '../../../../src/core/objectTree.ts';
import { isDeadLink, LeftLinks, SILENT_MS } from '../../../../src/piping/links/leftLinks.ts';
import { StreamUsers } from '../../../../src/piping/streamUsers.ts';
import {
  addRouter,
  consume,
  createTransport,
  produce,
  type ImaginaryObject,
} from '../../../helpers/imaginaryObjects.ts';

let leftLinks: LeftLinks;
/** Link to another machine, which sends and receives. */
let link: ImaginaryObject;
let copy: ImaginaryObject;
let sent: ImaginaryObject;
/** Consumers of the copy: this machine's own, and a pipe to a third machine. */
let own: ImaginaryObject;
let onward: ImaginaryObject;
let bytesReceived: number;

const request = { routerId: 'here', remoteRouterId: 'there', consumerIds: [] };

beforeEach(() => {
  jest.useFakeTimers();
  const tree = new ObjectTree();
  const router = addRouter(tree, 'here');
  leftLinks = new LeftLinks(tree, new StreamUsers(tree));
  [link, bytesReceived] = [createTransport(router, 'there'), 1000];
  Object.assign(link, { getStats: async () => [{ bytesReceived }] });
  [copy, sent] = [produce(link, 'theirs'), consume(link, 'ours')];
  own = consume(createTransport(router), 'theirs');
  onward = consume(createTransport(router, 'elsewhere'), 'theirs');
});

afterEach(() => {
  leftLinks.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const open = (): boolean[] => [link, copy, sent, own, onward].map(({ closed }) => !closed);

test('a client’s own consumers close, and the link when nothing has come through it for long', async () => {
  const told: string[] = [];
  own.on('producerclose', () => told.push('producerclose'));
  leftLinks.leave({ ...request, consumerIds: [own['id' as never], sent['id' as never]] });
  expect([told, open()]).toEqual([['producerclose'], [true, true, true, false, true]]);
  for (let elapsed = 0; elapsed < 2 * SILENT_MS; elapsed += 1000) {
    ++bytesReceived;
    await jest.advanceTimersByTimeAsync(1000);
  }
  expect(link.closed).toBe(false);
  await jest.advanceTimersByTimeAsync(SILENT_MS);
  expect(link.closed).toBe(true);
});

test('what has come from a Router that is dead closes at once, and what is sent there when nothing comes for long', async () => {
  leftLinks.leave({ ...request, isDead: true });
  expect([open(), isDeadLink(link)]).toEqual([[true, false, true, true, true], true]);
  await jest.advanceTimersByTimeAsync(SILENT_MS - 1000);
  expect([link.closed, isDeadLink(link)]).toEqual([false, true]);
  await jest.advanceTimersByTimeAsync(1000);
  expect(link.closed).toBe(true);
});

test('a Router from which packets come is not dead, whatever is said', async () => {
  leftLinks.leave({ ...request, isDead: true });
  const next = produce(link, 'also theirs');
  await jest.advanceTimersByTimeAsync(1000);
  ++bytesReceived;
  await jest.advanceTimersByTimeAsync(1000);
  expect(isDeadLink(link)).toBe(false);
  leftLinks.leave({ ...request, isDead: true });
  expect([next.closed, isDeadLink(link)]).toEqual([false, false]);
  // It falls silent later.
  await jest.advanceTimersByTimeAsync(3000);
  leftLinks.leave({ ...request, isDead: true });
  expect([next.closed, isDeadLink(link)]).toEqual([true, true]);
});

test('a link that nobody uses, or that all have left, closes at once', () => {
  leftLinks.leave({ ...request, isLast: true });
  expect(link.closed).toBe(true);
});
