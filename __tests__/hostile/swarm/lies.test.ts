/** Words of a member of a swarm that are wrong, old, another's or without end are refused, or bounded. */
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { FIND, NOTICE, STATUS, STORE } from '../../../src/swarm/dht/commands.ts';
import { Dht } from '../../../src/swarm/dht/dht.ts';
import { LOOK_UP_MS, MAX_VISITED } from '../../../src/swarm/dht/lookUp.ts';
import { RECORD_LIFETIME_MS, signRecord, targetOfRoom } from '../../../src/swarm/dht/record.ts';
import { encodeStatus } from '../../../src/swarm/dht/status.ts';
import { Identity } from '../../../src/swarm/identity.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { PING, RawPeer } from '../../helpers/rawPeer.ts';
import { until } from '../../helpers/until.ts';

const opened = closingAfterEach();
const key = randomBytes(32);
const host = '127.0.0.1';
const target = targetOfRoom('room');
/** Answer that refuses a command. */
const REFUSED = 16;

const server = { url: 'ws://peer.example/', serverId: 'server', labels: {}, load: 0, draining: false };
const claim = { url: server.url, serverId: 'server', address: { host, port: 4444 }, fingerprint: undefined };

const open = async (): Promise<Dht> =>
  opened(
    await Dht.open({
      bootstrap: [],
      keys: [key],
      host,
      listenHost: host,
      port: 0,
      identity: new Identity(),
      status: () => [server],
    }),
  );
const raw = async (ownKey = key, listenHost?: string): Promise<RawPeer> =>
  opened(await RawPeer.open(ownKey, listenHost));

async function found(dht: Dht): Promise<string[]> {
  const peers: string[] = [];
  for await (const { peerId } of dht.find(target)) peers.push(peerId);
  return peers;
}

test('a datagram that is sent again is answered once', async () => {
  const [dht, peer] = [await open(), await raw()];
  const { tid, sealed } = peer.sealed(PING, dht.address);
  for (let sent = 0; sent < 3; ++sent) peer.send(sealed, dht.address);
  // A later datagram is answered later.
  await peer.request(PING, dht.address);
  expect(peer.answers.get(tid)).toBe(1);
});

test('a peer with an old key, and a stranger, get no answer', async () => {
  const dht = await open();
  const [old, stranger] = [await raw(), await raw(randomBytes(32))];
  await old.request(PING, dht.address);
  const next = randomBytes(32);
  dht.keys = [next];
  const late = [old, stranger].map(peer => {
    const { tid, sealed } = peer.sealed(PING, dht.address);
    peer.send(sealed, dht.address);
    return { peer, tid };
  });
  await (await raw(next)).request(PING, dht.address);
  for (const { peer, tid } of late) expect(peer.answers.has(tid)).toBe(false);
});

test('records are stored if they are right, and their sender’s address is proven', async () => {
  const [dht, peer] = [await open(), await raw()];
  const { token } = await peer.request({ command: FIND, target }, dht.address);
  const identity = new Identity();
  const other = new Identity();
  const now = Date.now();
  const right = signRecord(identity, target, claim);
  const forged = Buffer.from(right);
  other.publicKey.copy(forged, 1);
  const wrong = {
    'in the name of another': forged,
    'for another room': signRecord(identity, targetOfRoom('another'), claim),
    'for too long': signRecord(identity, target, claim, RECORD_LIFETIME_MS + 1000),
    'of tomorrow': signRecord(identity, target, claim, 1000, now + 86_400_000),
    'of yesterday': signRecord(identity, target, claim, 1000, now - 86_400_000),
    'that is none': randomBytes(300),
  };
  const store = async (value: Buffer, command: number, proof: Buffer | undefined): Promise<number | undefined> =>
    (await peer.request({ command, target, value, token: proof }, dht.address)).error;
  for (const value of Object.values(wrong)) expect(await store(value, STORE, token)).toBe(REFUSED);
  expect(await store(right, STORE, undefined)).toBe(REFUSED);
  expect(await store(right, STORE, randomBytes(32))).not.toBe(0);
  // No peer here has to do with that room.
  expect(await store(right, NOTICE, token)).toBe(REFUSED);
  expect(await found(dht)).toEqual([]);
  expect(await store(right, STORE, token)).toBe(0);
  expect(await found(dht)).toEqual([identity.id]);
});

test('a status in the name of another, and of no peer at all, is not taken', async () => {
  const [dht, peer] = [await open(), await raw()];
  const identity = new Identity();
  const status = encodeStatus(identity, { servers: [server], fingerprint: undefined });
  const forged = Buffer.from(status.toString('latin1').replace(identity.id, new Identity().id), 'latin1');
  const answers = [forged, Buffer.from('[]'), Buffer.alloc(0), status];
  peer.onRequest = command => (command === STATUS ? { value: answers.shift() } : undefined);
  for (let asked = 0; asked < 3; ++asked) expect(await dht.statusOf(peer.address)).toBeUndefined();
  expect(await dht.statusOf(peer.address)).toMatchObject({ peerId: identity.id, servers: [server] });
});

test('a peer that names closer ones without end leads nobody on for ever', async () => {
  const [dht, peer] = [await open(), await raw(key, '0.0.0.0')];
  const { port } = peer.address;
  let asked = 0;
  // All of these addresses are its own.
  const more = (count: number, port: number): { host: string; port: number }[] =>
    Array.from({ length: count }, () => ({ host: ['127', ...randomBytes(3)].join('.'), port }));
  peer.onRequest = command => {
    if (command !== FIND) return {};
    ++asked;
    return { closer: more(190, port) };
  };
  await peer.request(PING, dht.address, true);
  await until('it is known', () => !dht.isAlone);
  const began = Date.now();
  expect(await found(dht)).toEqual([]);
  // A busy machine may not get so far in the time of a look-up, which ends it too; some are on their way when it is enough.
  if (Date.now() - began < LOOK_UP_MS) expect(asked).toBeGreaterThan(MAX_VISITED);
  expect(asked).toBeLessThan(2 * MAX_VISITED);
  // A datagram that is longer than any that an honest peer sends is not even opened: nobody goes where it leads.
  const elsewhere = await raw(key, '0.0.0.0');
  let [answered, followed] = [0, 0];
  elsewhere.onRequest = () => {
    ++followed;
    return {};
  };
  peer.onRequest = command => {
    if (command !== FIND) return {};
    ++answered;
    return { closer: more(300, elsewhere.address.port) };
  };
  expect(await found(dht)).toEqual([]);
  expect(answered).toBeGreaterThan(0);
  expect(followed).toBe(0);
});
