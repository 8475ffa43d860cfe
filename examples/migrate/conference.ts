/**
 * The application: people who hear each other, by real RTP packets. It is written for a MafaldaRouter, which to it is a mediasoup Router,
 * and knows nothing of machines.
 */
import { once } from 'node:events';
import type { Consumer, DirectTransport, Producer } from 'mediasoup/types';
import type { MafaldaApi, MafaldaRouter } from 'mafalda-horizontal';

const opus = { mimeType: 'audio/opus', clockRate: 48000, channels: 2 } as const;
const PACKET_EVERY_MS = 20;
const PATIENCE_MS = 10_000;

interface Person {
  name: string;
  transport: DirectTransport;
  microphone: Producer;
}

/** @returns who has heard whom */
export async function holdConference(mafalda: MafaldaApi, names: readonly string[]): Promise<string[]> {
  const router = mafalda.createMafaldaRouter({ routerOptions: { mediaCodecs: [{ kind: 'audio', ...opus }] } });
  const people = await Promise.all(names.map((name, index) => join(router, name, 1000 + index)));
  const talking = setInterval(() => people.forEach(speak), PACKET_EVERY_MS);
  try {
    const heard = people.flatMap(listener =>
      people.filter(other => other !== listener).map(speaker => hear(router, listener, speaker)),
    );
    return await Promise.all(heard);
  } finally {
    clearInterval(talking);
    await router.close();
  }
}

async function join(router: MafaldaRouter, name: string, ssrc: number): Promise<Person> {
  const transport = await router.createDirectTransport();
  const codecs = [{ ...opus, payloadType: 111 }];
  const microphone = await transport.produce({
    kind: 'audio',
    rtpParameters: { codecs, encodings: [{ ssrc }] },
    appData: { name, ssrc, packets: 0 },
  });
  return { name, transport, microphone };
}

async function hear(router: MafaldaRouter, listener: Person, speaker: Person): Promise<string> {
  const rtpCapabilities = await router.getRtpCapabilities();
  const producerId = speaker.microphone.id;
  if (!(await router.canConsume({ producerId, rtpCapabilities })))
    throw new Error(`${listener.name} can't consume ${speaker.name}`);
  const consumer: Consumer = await listener.transport.consume({ producerId, rtpCapabilities });
  const [packet] = (await once(consumer, 'rtp', { signal: AbortSignal.timeout(PATIENCE_MS) })) as [Buffer];
  return `${listener.name} hears ${packet.subarray(-speaker.name.length).toString()}`;
}

/** One RTP packet, with the name for a payload. */
function speak({ name, microphone }: Person): void {
  const state = microphone.appData as { ssrc: number; packets: number };
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(111, 1);
  header.writeUInt16BE(++state.packets % 2 ** 16, 2);
  header.writeUInt32BE(state.packets * 960, 4);
  header.writeUInt32BE(state.ssrc, 8);
  microphone.send(Buffer.concat([header, Buffer.from(name)]));
}
