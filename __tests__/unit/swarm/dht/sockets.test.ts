/** Through the sockets of a peer goes what members of the group have sealed, and of each of them not more than its share. */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { Seal } from '../../../../src/swarm/dht/seal.ts';
import { DATAGRAMS_PER_SECOND, SenderRates } from '../../../../src/swarm/dht/senderRates.ts';
import { bindUdp } from '../../../../src/swarm/dht/sockets.ts';
import { closingAfterEach } from '../../../helpers/cleanup.ts';
import { until } from '../../../helpers/until.ts';

const opened = closingAfterEach();
const key = randomBytes(32);

async function senderAt(host: string): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  opened({ close: () => socket.close() });
  return socket;
}

test('a flood of one member costs no more than its share, and another is heard', async () => {
  const heard = new Map<string, number>();
  // The clock stands still: nobody is given more with time.
  const rates = new SenderRates(() => 0);
  const sockets = await bindUdp(0, '127.0.0.1', new Seal([key]), rates);
  const socket = opened(sockets.createSocket());
  opened(sockets.createSocket());
  socket.on('message', (_datagram: Buffer, { host }: { host: string }) => {
    heard.set(host, (heard.get(host) ?? 0) + 1);
  });
  const seal = new Seal([key]);
  const send = (from: Socket, text: string): void =>
    from.send(seal.close(Buffer.from(text)), sockets.port, '127.0.0.1');
  const [flooder, other] = [await senderAt('127.0.0.2'), await senderAt('127.0.0.3')];
  const flood = DATAGRAMS_PER_SECOND + 500;
  for (let sent = 0; sent < flood; ++sent) {
    send(flooder, 'flood');
    // The system keeps only so many.
    if (sent % 50 === 0) await new Promise(resolve => setTimeout(resolve, 1));
  }
  await until('the other one is heard', () => {
    // The system may have no room left for a datagram just after the flood.
    send(other, 'hello');
    return (heard.get('127.0.0.3') ?? 0) > 0;
  });
  expect(heard.get('127.0.0.2')).toBeLessThanOrEqual(DATAGRAMS_PER_SECOND);
  expect(heard.get('127.0.0.2')).toBeGreaterThan(DATAGRAMS_PER_SECOND / 2);
});

test('strangers, and datagrams that are too long, get nowhere', async () => {
  const texts: string[] = [];
  const sockets = await bindUdp(0, '127.0.0.1', new Seal([key]));
  const socket = opened(sockets.createSocket());
  opened(sockets.createSocket());
  socket.on('message', (datagram: Buffer) => void texts.push(datagram.toString()));
  const sender = await senderAt('127.0.0.2');
  const send = (sealed: Buffer): void => sender.send(sealed, sockets.port, '127.0.0.1');
  send(new Seal([randomBytes(32)]).close(Buffer.from('stranger')));
  send(Buffer.from('no seal at all'));
  send(new Seal([key]).close(Buffer.alloc(1251)));
  send(new Seal([key]).close(Buffer.from('member')));
  await until('the member is heard', () => texts.length > 0);
  expect(texts).toEqual(['member']);
});
