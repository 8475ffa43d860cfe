/** Makes a Transport produce under ids that are free in its Worker, and consume by these ids: see `aliases`. */
import { randomUUID } from 'node:crypto';
import type { Transport } from 'mediasoup/types';
import { copyingFast } from '../core/copies.ts';
import { onceClosed, type Closable } from '../core/onceClosed.ts';
import type { Aliases, WorkerStreamIds } from './aliases.ts';

export function interceptIds(transport: Transport, ids: WorkerStreamIds, aliases: Aliases): void {
  const produce = transport.produce.bind(transport);
  const produceData = transport.produceData.bind(transport);
  const consume = transport.consume.bind(transport);
  transport.consume = options => copyingFast(() => aliases.withWorkerId(options?.producerId, () => consume(options)));
  transport.produce = options => withFreeId(options?.id, id => copyingFast(() => produce({ ...options, id })));
  transport.produceData = options => withFreeId(options?.id, id => produceData({ ...options, id }));

  async function withFreeId<T extends Closable>(wanted: unknown, create: (id: string) => Promise<T>): Promise<T> {
    const publicId = typeof wanted === 'string' && wanted !== '' ? wanted : randomUUID();
    const id = ids.take(publicId);
    if (id !== publicId) aliases.add(id, publicId);
    const release = (): void => {
      ids.release(id);
      aliases.delete(id);
    };
    try {
      const created = await create(id);
      onceClosed(created, release);
      return created;
    } catch (error) {
      release();
      throw error;
    }
  }
}
