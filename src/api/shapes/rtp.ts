/** Shapes of mediasoup's RTP, SRTP and SCTP parameters. */
import type {
  RouterRtpCodecCapability,
  RtcpFeedback,
  RtcpParameters,
  RtpCapabilities,
  RtpCodecCapability,
  RtpCodecParameters,
  RtpEncodingParameters,
  RtpHeaderExtension,
  RtpHeaderExtensionParameters,
  RtpParameters,
  SctpStreamParameters,
  SrtpParameters,
} from 'mediasoup/types';
import { flag, integer, list, number, object, parameters, text } from './shape.ts';

const rtcpFeedback = list(object<RtcpFeedback>()({ type: text, parameter: text }), 'objects');

const codecCapability = {
  kind: text,
  mimeType: text,
  preferredPayloadType: number,
  clockRate: number,
  channels: number,
  parameters,
  rtcpFeedback,
} as const;

const headerExtension = object<RtpHeaderExtension>()({
  kind: text,
  uri: text,
  preferredId: number,
  preferredEncrypt: flag,
  direction: text,
});

export const rtpCapabilities = object<RtpCapabilities>()({
  codecs: list(object<RtpCodecCapability>()(codecCapability), 'objects'),
  headerExtensions: list(headerExtension, 'objects'),
});

export const mediaCodecs = list(object<RouterRtpCodecCapability>()(codecCapability), 'objects');

const codec = object<RtpCodecParameters>()({
  mimeType: text,
  payloadType: number,
  clockRate: number,
  channels: number,
  parameters,
  rtcpFeedback,
});

const encoding = object<RtpEncodingParameters>()({
  ssrc: number,
  rid: text,
  codecPayloadType: number,
  rtx: object<NonNullable<RtpEncodingParameters['rtx']>>()({ ssrc: number }),
  dtx: flag,
  scalabilityMode: text,
  maxBitrate: integer,
});

export const rtpParameters = object<RtpParameters>()({
  mid: text,
  codecs: list(codec, 'objects'),
  headerExtensions: list(
    object<RtpHeaderExtensionParameters>()({ uri: text, id: number, encrypt: flag, parameters }),
    'objects',
  ),
  encodings: list(encoding, 'objects'),
  rtcp: object<RtcpParameters>()({ cname: text, reducedSize: flag }),
  msid: text,
});

export const srtpParameters = object<SrtpParameters>()({ cryptoSuite: text, keyBase64: text });

export const sctpStreamParameters = object<SctpStreamParameters>()({
  streamId: number,
  ordered: flag,
  maxPacketLifeTime: number,
  maxRetransmits: number,
});
