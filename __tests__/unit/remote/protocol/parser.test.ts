/** The parser writes and reads the same as socket.io's own. */
import { expect, test } from '@jest/globals';
import * as theirs from 'socket.io-parser';
import { parser } from '../../../../src/remote/protocol/parser.ts';
import { sizeOfArrived, write } from '../../../../src/remote/protocol/wireText.ts';

const ours = new parser.Encoder();

function packetOf(...data: unknown[]): theirs.Packet {
  return { type: theirs.PacketType.EVENT, nsp: '/', data };
}

function written<T extends object>(message: T): T {
  write(message);
  return message;
}

function decode(packets: unknown[], { Decoder }: Pick<typeof theirs, 'Decoder'> = parser): unknown[] {
  const decoder = new Decoder();
  const decoded: unknown[] = [];
  decoder.on('decoded', packet => decoded.push(packet));
  for (const packet of packets) decoder.add(packet);
  return decoded;
}

test.each<[string, theirs.Packet]>([
  [
    'messages that were written',
    packetOf('message', 7, 3, written({ type: 'forget', handle: 1 }), written({ a: '"é語' })),
  ],
  ['messages that were not', packetOf('message', 7, 3, { type: 'forget', handle: 1 })],
  ['both', packetOf('message', 1, 0, written({ type: 'forget', handle: 1 }), { type: 'forget', handle: 2 })],
  ['no message', packetOf('message', 1, 0)],
  ['a Buffer', packetOf('message', 1, 0, { data: Buffer.from('abc') })],
  ['another event', packetOf('acknowledge', 5)],
  ['an event with an acknowledgement', { ...packetOf('alive'), id: 12 }],
  ['the credentials', { type: theirs.PacketType.CONNECT, nsp: '/', data: { protocol: 1 } }],
])('%s', (_what, packet) => {
  const encoded = ours.encode({ ...packet });
  expect(encoded).toEqual(new theirs.Encoder().encode({ ...packet }));
  expect(decode(encoded)).toMatchObject(decode(encoded, theirs));
});

test('messages have the size of the packet that has brought them', () => {
  const [packet] = decode(['2["message",7,3,{"type":"forget","handle":1}]']) as [{ data: unknown[] }];
  expect(packet.data).toMatchObject(['message', 7, 3, { type: 'forget', handle: 1 }]);
  expect(sizeOfArrived(packet.data[3])).toMatchObject({ bytes: 2 * 45, buffers: 0 });
});

test.each(['2["message",', '2["message",1,0,{]', '2["message",1,0]]'])('%s is as malformed as ever', packet => {
  expect(() => decode([packet])).toThrow('invalid payload');
});

test('text amid the Buffers of a packet is as malformed as ever', () => {
  expect(() => decode(['51-["message",1,0,{"_placeholder":true,"num":0}]', '2["message",1,0,{}]'])).toThrow(
    'plaintext',
  );
});
