/** A room is sent in slices, whatever its size. */
import { beforeEach, expect, test } from '@jest/globals';
import { TreeExport } from '../../../../src/remote/server/treeExport.ts';
import { Exports } from '../../../../src/remote/server/exports.ts';
import { TreeSender } from '../../../../src/remote/server/treeSender.ts';
import { MemoryBudget } from '../../../../src/remote/protocol/memory.ts';
import type { ServerMessage } from '../../../../src/remote/protocol/messages.ts';
import { ObjectTree } from '../../../../src/core/objectTree.ts';
import { Turns } from '../../../../src/core/turns.ts';
import {
  addRouter,
  consume,
  createTransport,
  produce,
  type ImaginaryObject,
} from '../../../helpers/imaginaryObjects.ts';

const OBJECTS = 40_000;

let sent: ServerMessage[];
let hasRoom: boolean;
let now: number;
let later: (() => void)[];
let tree: ObjectTree;
let shown: TreeExport;
let router: ImaginaryObject;
let sender: TreeSender;
let turns: Turns;
let exports: Exports;
const member = { connected: true, send: (message: ServerMessage) => void sent.push(message), count: () => undefined };

beforeEach(() => {
  sent = [];
  hasRoom = true;
  now = 0;
  later = [];
  tree = new ObjectTree();
  router = addRouter(tree, 'router');
  turns = new Turns(
    () => ++now,
    run => later.push(run),
    () => now,
  );
  exports = new Exports('server', new MemoryBudget(), undefined);
  shown = new TreeExport(tree, exports, 'room', turns);
  sender = new TreeSender({ member, hasRoom: () => hasRoom, turns });
});

/** Ends the turn of others. @returns the number of messages sent after it */
function go(): number {
  const before = sent.length;
  for (const run of later.splice(0)) run();
  return sent.length - before;
}

function fill(objects: number): ImaginaryObject {
  const transport = createTransport(router);
  for (let object = 0; object < objects; ++object) produce(transport, `producer ${object}`);
  return transport;
}

function handleOf(message: ServerMessage): number {
  return message.type === 'add' ? message.addition.handle : NaN;
}

test('a few objects in each turn, parents first, each once', async () => {
  fill(OBJECTS);
  shown.attach(member);
  const all = sender.send(shown);
  const turns = [sent.length];
  while (later.length > 0) turns.push(go());
  await all;
  expect(Math.max(...turns)).toBeLessThan(10);
  const handles = sent.map(handleOf);
  expect(handles).toHaveLength(OBJECTS + 3);
  expect(handles).toEqual([...handles].sort((a, b) => a - b));
});

test('no more than there is room for, and the rest when there is', async () => {
  fill(100);
  shown.attach(member);
  hasRoom = false;
  const all = sender.send(shown);
  while (later.length > 0) go();
  expect(sent).toEqual([]);
  hasRoom = true;
  sender.resume();
  while (later.length > 0) go();
  await all;
  expect(sent).toHaveLength(103);
});

test('an event meanwhile comes at once, after the objects that it needs, which are not sent twice', async () => {
  const transport = fill(100);
  shown.attach(member);
  hasRoom = false;
  const all = sender.send(shown);
  const consumer = consume(transport, 'producer 99');
  expect(sent.map(message => (message.type === 'add' ? message.addition.className : message.type))).toEqual([
    'SharedWorker',
    'Router',
    'DirectTransport',
    'Consumer',
  ]);
  consumer.safeEmit('trace');
  expect(sent.at(-1)).toMatchObject({ type: 'event', name: 'trace' });
  hasRoom = true;
  sender.resume();
  while (later.length > 0) go();
  await all;
  expect(new Set(sent.map(handleOf).filter(handle => handle > 0)).size).toBe(104);
  expect(sent).toHaveLength(105);
});

test('an object that closes before its turn is not sent, and a member that leaves gets nothing more', async () => {
  const transport = fill(100);
  shown.attach(member);
  hasRoom = false;
  const all = sender.send(shown);
  transport.close();
  hasRoom = true;
  sender.resume();
  while (later.length > 0) go();
  await all;
  expect(sent.filter(({ type }) => type === 'add')).toHaveLength(2);
  fill(100);
  shown.detach(member);
  expect(sent.filter(({ type }) => type === 'add')).toHaveLength(103);
  const again = { ...member };
  shown.attach(again);
  sender.close();
  expect(shown.memberCount).toBe(1);
});

/** Shows a tree that was filled before. */
function showFilled(): { transport: ImaginaryObject; mic: ImaginaryObject } {
  shown.close();
  const transport = fill(100);
  const mic = produce(transport, 'mic');
  exports = new Exports('server', new MemoryBudget(), undefined);
  shown = new TreeExport(tree, exports, 'room');
  return { transport, mic };
}

test('objects from before are exported as they are sent', async () => {
  showFilled();
  expect(exports.size).toBe(0);
  shown.attach(member);
  const all = sender.send(shown);
  while (later.length > 0) {
    go();
    expect(exports.size).toBeLessThan(sent.length + 2);
  }
  await all;
  const handles = sent.map(handleOf);
  expect(handles).toHaveLength(104);
  expect(handles).toEqual([...handles].sort((a, b) => a - b));
});

test('an object from before is exported ahead of its turn for what refers to it, after its parents', async () => {
  const { transport, mic } = showFilled();
  shown.attach(member);
  hasRoom = false;
  const all = sender.send(shown);
  expect(exports.byObject(mic)?.className).toBe('Producer');
  consume(transport, 'mic');
  expect(sent.map(message => (message.type === 'add' ? message.addition.className : message.type))).toEqual([
    'SharedWorker',
    'Router',
    'DirectTransport',
    'Consumer',
  ]);
  hasRoom = true;
  sender.resume();
  while (later.length > 0) go();
  await all;
  expect(new Set(sent.map(handleOf)).size).toBe(105);
  expect(sent).toHaveLength(105);
});

test('objects from before that close before their turn are never exported', async () => {
  const { transport } = showFilled();
  transport.close();
  shown.attach(member);
  await sender.send(shown);
  expect(sent).toHaveLength(2);
  expect(exports.size).toBe(2);
});

test('what is shown no more is forgotten a few objects in each turn, and may be shown anew meanwhile', async () => {
  const transport = fill(OBJECTS);
  shown.attach(member);
  expect(exports.size).toBe(OBJECTS + 3);
  shown.close();
  expect([shown.size, shown.memberCount]).toEqual([0, 0]);
  const again = new TreeExport(tree, exports, 'room', turns);
  again.attach(member);
  const all = sender.send(again);
  hasRoom = false;
  const forgotten: number[] = [];
  while (later.length > 0) {
    const before = exports.size;
    go();
    forgotten.push(before - exports.size);
  }
  expect(Math.max(...forgotten)).toBeLessThan(10);
  expect(exports.size).toBe(again.size);
  const shownAgain = exports.byObject(transport)!;
  expect(shownAgain.exporter).toBe(again);
  // The followers of the first showing are gone, and the second one's stay.
  sent = [];
  transport.safeEmit('trace');
  expect(sent.filter(({ type }) => type === 'event')).toHaveLength(1);
  again.detach(member);
  sender.close();
  await all;
});
