/**
 * socket.io's own parser, except that packets of a session are written from the JSON that their messages have already
 * (`wireText.ts`): socket.io would look at each value in them for Buffers first. On the wire there is no difference.
 */
import { Decoder, Encoder, PacketType, protocol, type Packet } from 'socket.io-parser';
import { noteSizes, textOf } from './wireText.ts';

/** Begins each packet of a session that has no Buffers. */
const MESSAGE = `${PacketType.EVENT}["message",`;
/** Arguments of such a packet before its messages: the name, the number of the first one, the number of the latest received. */
const BEFORE_MESSAGES = 3;

class SessionEncoder extends Encoder {
  override encode(packet: Packet): unknown[] {
    const text = packet.type === PacketType.EVENT && packet.id === undefined ? textOfPacket(packet) : undefined;
    return text === undefined ? super.encode(packet) : [text];
  }
}

class SessionDecoder extends Decoder {
  override add(packet: unknown): void {
    const isReading = (this as unknown as { reconstructor?: unknown }).reconstructor;
    const data = typeof packet === 'string' && !isReading && packet.startsWith(MESSAGE) ? read(packet) : undefined;
    if (!data) return super.add(packet);
    noteSizes(data.slice(BEFORE_MESSAGES), (packet as string).length);
    this.emitReserved('decoded', { type: PacketType.EVENT, nsp: '/', data });
  }
}

/** Parser of both sides, for socket.io's option of this name. */
export const parser = { protocol, PacketType, Encoder: SessionEncoder, Decoder: SessionDecoder };

/** @returns undefined if a message has to be written yet, or has Buffers */
function textOfPacket({ nsp, data }: Packet): string | undefined {
  const args = data as unknown[];
  if (nsp !== '/' || args[0] !== 'message' || args.length <= BEFORE_MESSAGES) return undefined;
  let text = `${MESSAGE}${String(args[1])},${String(args[2])}`;
  for (let index = BEFORE_MESSAGES; index < args.length; ++index) {
    const message = textOf(args[index]);
    if (message === undefined) return undefined;
    text += `,${message}`;
  }
  return `${text}]`;
}

/** @returns undefined for a packet that is not JSON, which socket.io deals with */
function read(packet: string): unknown[] | undefined {
  try {
    return JSON.parse(packet.slice(1)) as unknown[];
  } catch {
    return undefined;
  }
}
