/**
 * What the page and the server say to each other over socket.io. Both sides are checked against these types; what comes
 * from a page is checked once more when it arrives, since anybody can send anything.
 */
import type {
  DtlsParameters,
  IceCandidate,
  IceParameters,
  MediaKind,
  RtpCapabilities,
  RtpParameters,
} from 'mediasoup/types';

/** A person sends through one transport and receives through another. */
export type Direction = 'send' | 'recv';

export interface PeerInfo {
  id: string;
  name: string;
  producers: ProducerInfo[];
}

export interface ProducerInfo {
  id: string;
  kind: MediaKind;
  paused: boolean;
  /** The media server that it is on, by the name that people see. */
  server: string;
}

export interface TransportInfo {
  id: string;
  iceParameters: IceParameters;
  iceCandidates: IceCandidate[];
  dtlsParameters: DtlsParameters;
  server: string;
}

export interface ConsumerInfo {
  id: string;
  producerId: string;
  kind: MediaKind;
  rtpParameters: RtpParameters;
}

export type Answer<Result> = { result: Result; error?: undefined } | { error: string };

/** Most need no more of an answer than that it has been done. */
type Request<Data, Result = null> = (data: Data, answer: (answer: Answer<Result>) => void) => void;

/** Requests of the page, in the order in which it makes them. */
export interface PageRequests {
  /** The answer is who is there already. It comes before all events that tell how that changes. */
  join: Request<{ room: string; name: string }, PeerInfo[]>;
  getRtpCapabilities: Request<object, RtpCapabilities>;
  createTransport: Request<{ direction: Direction }, TransportInfo>;
  connectTransport: Request<{ direction: Direction; dtlsParameters: DtlsParameters }>;
  produce: Request<{ kind: MediaKind; rtpParameters: RtpParameters }, ProducerInfo>;
  setPaused: Request<{ producerId: string; paused: boolean }>;
  /** The consumer is paused at first, so that no key frame is lost before the page can play it. */
  consume: Request<{ producerId: string; rtpCapabilities: RtpCapabilities }, ConsumerInfo>;
  resumeConsumer: Request<{ producerId: string }>;
}

/** What the server tells the page. */
export interface ServerEvents {
  peerJoined: (peer: PeerInfo) => void;
  peerLeft: (peerId: string) => void;
  producerAdded: (peerId: string, producer: ProducerInfo) => void;
  producerPaused: (peerId: string, producerId: string, paused: boolean) => void;
  /** A stream does not come any longer, though its producer is there: it was piped by way of a server that is gone. */
  consumerClosed: (peerId: string, producerId: string) => void;
  /** The page is out of the room, since a media server that carried its transports is gone. Others can take it. */
  rejoin: () => void;
  /** The server ends, for this reason. */
  ended: (reason: string) => void;
}
