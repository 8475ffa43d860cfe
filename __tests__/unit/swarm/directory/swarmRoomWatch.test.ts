/** A watch follows the servers of a room by the records of their peers, and not without end. */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import { expect, test } from '@jest/globals';
import type { Dht, DhtEvents } from '../../../../src/swarm/dht/dht.ts';
import { targetOfRoom, type SwarmRecord } from '../../../../src/swarm/dht/record.ts';
import { Rounds } from '../../../../src/swarm/directory/rounds.ts';
import { SwarmRoomWatch } from '../../../../src/swarm/directory/swarmRoomWatch.ts';
import { defaultTiming } from '../../../../src/swarm/directory/timing.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';

const opened = closingAfterEach();

/** A DHT that finds what the test gives it. */
class FakeDht extends EnhancedEventEmitter<DhtEvents> {
  found: SwarmRecord[] = [];

  async *find(): AsyncGenerator<SwarmRecord, void> {
    await Promise.resolve();
    yield* this.found;
  }

  watch(): () => void {
    return () => undefined;
  }

  tell(record: SwarmRecord): void {
    this.emit('record', targetOfRoom('room').toString('base64url'), record);
  }
}

function record(peerId: string, change: Partial<SwarmRecord> = {}): SwarmRecord {
  const now = Date.now();
  return {
    peerId,
    url: `wss://${peerId}.example/`,
    serverId: 'server',
    address: { host: '192.0.2.1', port: 1 },
    fingerprint: undefined,
    time: now,
    expires: now + 60_000,
    bytes: Buffer.alloc(0),
    ...change,
  };
}

async function watching(found: SwarmRecord[] = []): Promise<{ dht: FakeDht; watch: SwarmRoomWatch }> {
  const dht = new FakeDht();
  dht.found = found;
  const watch = opened(
    new SwarmRoomWatch({
      roomId: 'room',
      dht: Promise.resolve(dht as unknown as Dht),
      timing: defaultTiming,
      rounds: new Rounds(60_000),
      onHolder: () => undefined,
      onHolderGone: () => undefined,
      onClose: () => undefined,
    }),
  );
  expect(await watch.known).toBe(true);
  return { dht, watch };
}

test('a server is named from its first record on, until a newer one takes that back', async () => {
  const time = Date.now() - 1000;
  const { dht, watch } = await watching([record('a', { time })]);
  dht.tell(record('b'));
  expect([...watch.urls].sort()).toEqual(['wss://a.example/', 'wss://b.example/']);
  dht.tell(record('a', { time: time + 1, expires: time + 1 }));
  // An older record comes late.
  dht.tell(record('a', { time }));
  expect([...watch.urls]).toEqual(['wss://b.example/']);
});

test('servers of peers that are not trusted any more are dropped', async () => {
  const { watch } = await watching([record('a'), record('b')]);
  watch.dropUntrusted(peerId => peerId === 'b');
  expect([...watch.urls]).toEqual(['wss://b.example/']);
});

test('a peer that gives itself any number of names is followed under some of them', async () => {
  const { dht, watch } = await watching();
  for (let name = 0; name < 1500; ++name) dht.tell(record(`peer-${name}`));
  expect(watch.urls.size).toBe(1000);
});
