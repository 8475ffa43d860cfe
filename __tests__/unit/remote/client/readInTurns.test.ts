/** A client that has more to read than fits into its turn lets other work have its own. */
import { expect, test } from '@jest/globals';
import type { Manager } from 'socket.io-client';
import { readInTurns } from '../../../../src/remote/client/readInTurns.ts';

function connection(): { manager: Manager; done: string[] } {
  const done: string[] = [];
  const ws = {
    isPaused: false,
    pause: () => void (done.push('pause'), (ws.isPaused = true)),
    resume: () => void (done.push('resume'), (ws.isPaused = false)),
  };
  return { manager: { engine: { transport: { ws } } } as unknown as Manager, done };
}

test('reading stops until the next turn, once, when the time of this one is over', async () => {
  const { manager, done } = connection();
  readInTurns(manager, { hasTime: true });
  expect(done).toEqual([]);
  for (let packet = 0; packet < 3; ++packet) readInTurns(manager, { hasTime: false });
  expect(done).toEqual(['pause']);
  await new Promise<void>(resolve => setImmediate(resolve));
  expect(done).toEqual(['pause', 'resume']);
});

test('a connection that is gone has nothing to read', () => {
  readInTurns({ engine: undefined } as unknown as Manager, { hasTime: false });
  readInTurns({ engine: { transport: {} } } as unknown as Manager, { hasTime: false });
});
