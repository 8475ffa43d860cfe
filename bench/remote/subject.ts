/** The subject of measurement: a room over one or several media servers, whoever has written what is between. */
import type { RtpParameters } from 'mediasoup/types';

export interface SubjectTransport {
  produce(kind: 'audio' | 'video', rtpParameters: RtpParameters): Promise<string>;
  consume(producerId: string, paused?: boolean): Promise<unknown>;
  close(): void;
}

export interface Room {
  createTransport(node: number): Promise<SubjectTransport>;
  close(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** @param nodes how many media servers it may use */
  openRoom(nodes: number): Promise<Room>;
  close(): Promise<void>;
}

export const listenInfos = [{ protocol: 'udp', ip: '127.0.0.1' }] as const;

export const mediaCodecs = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
] as const;

const codecs = {
  audio: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
  video: [
    {
      mimeType: 'video/VP8',
      payloadType: 112,
      clockRate: 90000,
      rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
    },
    { mimeType: 'video/rtx', payloadType: 113, clockRate: 90000, parameters: { apt: 112 } },
  ],
} satisfies Record<string, RtpParameters['codecs']>;

export function rtpParametersOf(kind: 'audio' | 'video', ssrc: number): RtpParameters {
  const encodings = kind === 'audio' ? [{ ssrc }] : [{ ssrc, rtx: { ssrc: ssrc + 1 } }];
  return { mid: String(ssrc), codecs: codecs[kind], encodings };
}
