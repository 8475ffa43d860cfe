import { expect, test } from '@jest/globals';
import type { RemoteMafaldaRouter } from '../../../../src/remote/client/remoteMafaldaRouter.ts';
import { Searches } from '../../../../src/remote/client/searches.ts';

test('a search is underway until it is answered, beside others for the same id', async () => {
  const searches = new Searches();
  let answer!: (number: number) => void;
  let fail!: (error: Error) => void;
  const attaching = [
    new Promise<number>(resolve => (answer = resolve)),
    new Promise<number>((_resolve, reject) => (fail = reject)),
  ];
  const options = { id: 'room' };
  const seen: object[] = [];
  const onSeen = (mafaldaRouter: object): void => void seen.push(mafaldaRouter);
  const [first, second] = attaching.map(question => searches.run({ options, attaching: question, onSeen }, question));
  expect(searches.get('room')?.attaching).toBe(attaching[0]);
  expect(searches.get('hall')).toBeUndefined();
  const room = { id: 'room' } as RemoteMafaldaRouter;
  searches.tell(room);
  searches.tell({ id: 'hall' } as RemoteMafaldaRouter);
  expect(seen).toEqual([room, room]);
  answer(1);
  expect(await first).toBe(1);
  expect(searches.get('room')?.attaching).toBe(attaching[1]);
  fail(new Error('no'));
  await expect(second).rejects.toThrow('no');
  expect(searches.get('room')).toBeUndefined();
});
