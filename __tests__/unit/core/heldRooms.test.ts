import { expect, test } from '@jest/globals';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { Router, Worker } from 'mediasoup/types';
import type { MafaldaApi, MafaldaRouter } from '../../../src/index.ts';
import { OwnRooms } from '../../../src/core/heldRooms.ts';
import { ObjectTree } from '../../../src/core/objectTree.ts';
import { addRouter, type ImaginaryObject } from '../../helpers/imaginaryObjects.ts';

/** A foreign implementation of the Mafalda API, as far as its rooms go. */
class Foreign extends EnhancedEventEmitter<{ newmafaldarouter: [MafaldaRouter] }> {
  readonly mafaldaRouters = new Map<string, MafaldaRouter>();

  room(id: string): { addRouter: () => ImaginaryObject } {
    const tree = new ObjectTree();
    const emitter = new EnhancedEventEmitter<{ newrouter: [Router, Worker] }>();
    const mafaldaRouter = Object.assign(emitter, { id, routers: tree.routers }) as unknown as MafaldaRouter;
    this.mafaldaRouters.set(id, mafaldaRouter);
    this.emit('newmafaldarouter', mafaldaRouter);
    let routers = 0;
    return {
      addRouter: () => {
        const router = addRouter(tree, `${id} ${++routers}`);
        emitter.emit('newrouter', router as unknown as Router, {} as Worker);
        return router;
      },
    };
  }
}

test('a MafaldaRouter is held from its first Router to its last one, whether it was there before or not', () => {
  const mafalda = new Foreign();
  const before = mafalda.room('before').addRouter();
  const rooms = new OwnRooms(mafalda as unknown as MafaldaApi);
  const told: string[] = [];
  rooms.on('held', id => told.push(`held ${id}`)).on('released', id => told.push(`released ${id}`));
  expect([[...rooms], rooms.size, rooms.has('before')]).toEqual([['before'], 1, true]);

  const later = mafalda.room('later');
  expect(rooms.has('later')).toBe(false);
  const [first, second] = [later.addRouter(), later.addRouter()];
  first.close();
  expect(rooms.has('later')).toBe(true);
  before.close();
  second.close();
  expect([rooms.size, told]).toEqual([0, ['held later', 'released before', 'released later']]);
  later.addRouter();
  expect([...rooms]).toEqual(['later']);
});
