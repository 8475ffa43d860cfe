/** A room is told in slices, whatever its size. */
import { beforeEach, expect, test } from '@jest/globals';
import { TreeExport } from '../../../../src/remote/server/treeExport.ts';
import { Exports } from '../../../../src/remote/server/exports.ts';
import { Teller } from '../../../../src/remote/server/teller.ts';
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

let told: ServerMessage[];
let hasRoom: boolean;
let now: number;
let later: (() => void)[];
let tree: ObjectTree;
let shown: TreeExport;
let router: ImaginaryObject;
let teller: Teller;
const member = { tell: (message: ServerMessage) => void told.push(message), count: () => undefined };

beforeEach(() => {
  told = [];
  hasRoom = true;
  now = 0;
  later = [];
  tree = new ObjectTree();
  router = addRouter(tree, 'router');
  shown = new TreeExport(tree, new Exports('server', new MemoryBudget(), undefined), 'room');
  const turns = new Turns(
    () => ++now,
    run => later.push(run),
  );
  teller = new Teller({ member, hasRoom: () => hasRoom, turns });
});

/** Others have had their turn. @returns how much has been told then */
function go(): number {
  const before = told.length;
  for (const run of later.splice(0)) run();
  return told.length - before;
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
  const all = teller.tell(shown);
  const turns = [told.length];
  while (later.length > 0) turns.push(go());
  await all;
  expect(Math.max(...turns)).toBeLessThan(10);
  const handles = told.map(handleOf);
  expect(handles).toHaveLength(OBJECTS + 3);
  expect(handles).toEqual([...handles].sort((a, b) => a - b));
});

test('no more than there is room for, and the rest when there is', async () => {
  fill(100);
  shown.attach(member);
  hasRoom = false;
  const all = teller.tell(shown);
  while (later.length > 0) go();
  expect(told).toEqual([]);
  hasRoom = true;
  teller.goOn();
  while (later.length > 0) go();
  await all;
  expect(told).toHaveLength(103);
});

test('what happens meanwhile comes at once, with what it needs, and is not told twice', async () => {
  const transport = fill(100);
  shown.attach(member);
  hasRoom = false;
  const all = teller.tell(shown);
  const consumer = consume(transport, 'producer 99');
  expect(told.map(message => (message.type === 'add' ? message.addition.className : message.type))).toEqual([
    'SharedWorker',
    'Router',
    'DirectTransport',
    'Consumer',
  ]);
  consumer.safeEmit('trace');
  expect(told.at(-1)).toMatchObject({ type: 'event', name: 'trace' });
  hasRoom = true;
  teller.goOn();
  while (later.length > 0) go();
  await all;
  expect(new Set(told.map(handleOf).filter(handle => handle > 0)).size).toBe(104);
  expect(told).toHaveLength(105);
});

test('what is closed before it is its turn is not told, and who leaves is told nothing more', async () => {
  const transport = fill(100);
  shown.attach(member);
  hasRoom = false;
  const all = teller.tell(shown);
  transport.close();
  hasRoom = true;
  teller.goOn();
  while (later.length > 0) go();
  await all;
  expect(told.filter(({ type }) => type === 'add')).toHaveLength(2);
  fill(100);
  shown.detach(member);
  expect(told.filter(({ type }) => type === 'add')).toHaveLength(103);
  const again = { ...member };
  shown.attach(again);
  teller.close();
  expect(shown.audience).toBe(1);
});
