/** Behaviour that every directory must have, in the same words for all of them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Directory, NodeRecord, RoomWatch } from '../../src/horizontal/directory/directory.ts';
import { until } from '../helpers/until.ts';

/** A place where directories are kept: what one of them writes the others read. */
export interface DirectorySystem {
  open(): Directory;
  close(): Promise<void>;
}

let nextNode = 1;

function recordOf(properties: Partial<NodeRecord> = {}): NodeRecord {
  const url = `wss://media-${nextNode++}.example:4443`;
  return { url, serverId: `server of ${url}`, labels: {}, load: 10, draining: false, ...properties };
}

export function describeDirectory(name: string, createSystem: () => Promise<DirectorySystem>): void {
  describe(name, () => {
    let system: DirectorySystem;
    /** A directory of servers, and one of controllers. */
    let writer: Directory;
    let reader: Directory;

    beforeAll(async () => {
      system = await createSystem();
      writer = system.open();
      reader = system.open();
      await Promise.all([writer.known, reader.known]);
    });

    afterAll(async () => {
      await Promise.all([writer?.close(), reader?.close()]);
      await system?.close();
    });

    const holds = (watch: RoomWatch, ...urls: string[]): Promise<void> =>
      until(`the room is held by ${urls.join(' and ') || 'nobody'}`, () => {
        return [...watch.urls].sort().join() === [...urls].sort().join();
      });

    test('a node is known to all, with what it says of itself, until it takes that back', async () => {
      const record = recordOf({ region: 'eu', labels: { disk: 'fast' }, load: 33 });
      const told: NodeRecord[] = [];
      reader.on('node', node => told.push(node));
      const registration = writer.register(record);
      await until('it is known', () => reader.nodes.has(record.url));
      expect(reader.nodes.get(record.url)).toEqual(record);
      expect(told.filter(({ url }) => url === record.url)).toEqual([record]);

      registration.update({ load: 90 });
      await until('its load is known', () => reader.nodes.get(record.url)?.load === 90);
      registration.update({ draining: true });
      await until('it is known to be drained', () => reader.nodes.get(record.url)?.draining === true);
      expect(told.at(-1)).toEqual({ ...record, load: 90, draining: true });

      const gone = once(reader, 'nodegone');
      await registration.close();
      expect(await gone).toEqual([record.url]);
      expect(reader.nodes.has(record.url)).toBe(false);
      await registration.close();
    });

    test('a directory that is opened later knows the nodes as soon as it says so', async () => {
      const record = recordOf();
      const registration = writer.register(record);
      await until('it is written', () => reader.nodes.has(record.url));
      const late = system.open();
      await late.known;
      expect(late.nodes.get(record.url)).toEqual(record);
      await late.close();
      await registration.close();
    });

    test('a watch tells which nodes hold a room, and no word of other rooms', async () => {
      const [one, other] = [recordOf(), recordOf()];
      const registrations = [writer.register(one), writer.register(other)];
      const [watch, elsewhere] = [reader.watch('watched'), reader.watch('another')];
      let changes = 0;
      elsewhere.on('change', () => ++changes);
      expect(await Promise.all([watch.known, elsewhere.known])).toEqual([true, true]);
      expect(watch.urls.size).toBe(0);

      registrations[0]!.hold('watched');
      registrations[0]!.hold('watched');
      await holds(watch, one.url);
      const change = once(watch, 'change');
      registrations[1]!.hold('watched');
      await change;
      await holds(watch, one.url, other.url);
      registrations[0]!.release('watched');
      registrations[0]!.release('watched');
      await holds(watch, other.url);
      await registrations[1]!.close();
      await holds(watch);
      expect([changes, elsewhere.urls.size]).toEqual([0, 0]);

      watch.close();
      elsewhere.close();
      await registrations[0]!.close();
    });

    test('a watch that is opened later knows the nodes as soon as it says so', async () => {
      const record = recordOf();
      const registration = writer.register(record);
      const first = reader.watch('older');
      registration.hold('older');
      await holds(first, record.url);
      const [late, elsewhere] = [reader.watch('older'), writer.watch('older')];
      await Promise.all([late.known, elsewhere.known]);
      expect([[...late.urls], [...elsewhere.urls]]).toEqual([[record.url], [record.url]]);

      first.close();
      first.close();
      registration.release('older');
      await Promise.all([holds(late), holds(elsewhere)]);
      late.close();
      elsewhere.close();
      await registration.close();
    });

    test('rooms that come and go at once end as was said last', async () => {
      const record = recordOf();
      const registration = writer.register(record);
      const rooms = Array.from({ length: 30 }, (_, index) => `burst-${index}`);
      for (const room of rooms) registration.hold(room);
      for (const room of rooms.slice(10)) registration.release(room);
      for (const room of rooms.slice(20)) registration.hold(room);
      const watches = rooms.map(room => reader.watch(room));
      const held = (): string => watches.map(({ urls }) => urls.size).join('');
      await until('all are as was said last', () => held() === '1'.repeat(10) + '0'.repeat(10) + '1'.repeat(10));
      await registration.close();
      await until('all are taken back', () => !held().includes('1'));
      for (const watch of watches) watch.close();
    });

    test('a directory that is closed takes back what it has written', async () => {
      const record = recordOf();
      const closing = system.open();
      const watch = reader.watch('closed');
      const registration = closing.register(record);
      registration.hold('closed');
      await holds(watch, record.url);
      await until('the node is known', () => reader.nodes.has(record.url));
      await closing.close();
      await holds(watch);
      await until('the node is gone', () => !reader.nodes.has(record.url));
      registration.hold('closed');
      await registration.close();
      await closing.close();
      watch.close();
    });
  });
}
