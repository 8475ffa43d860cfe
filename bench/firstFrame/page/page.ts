/** The browser's side of `firstFrame.ts`: publishes what Chromium's made-up camera shows, and tells when frames have been decoded. */
import { Device } from 'mediasoup-client';
import type { types } from 'mediasoup-client';

declare global {
  /** What Chromium has and the compiler's library doesn't know yet. */
  class MediaStreamTrackProcessor {
    constructor(options: { track: MediaStreamTrack });
    readonly readable: ReadableStream<VideoFrame>;
  }
  function connectTransport(id: string, dtlsParameters: types.DtlsParameters): Promise<void>;
  function produce(transportId: string, parameters: unknown): Promise<string>;
}

interface Viewer {
  consumer: types.Consumer;
  waiting: ((at: number, width: number) => boolean)[];
}

const device = new Device();
const transports = new Map<string, types.Transport>();
const producers = new Map<string, types.Producer>();
const viewers = new Map<string, Viewer>();
let camera: MediaStream | undefined;

/** Milliseconds since 1970, with fractions: the same for all processes of this machine. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

const page = {
  async load(routerRtpCapabilities: types.RtpCapabilities): Promise<unknown> {
    if (!device.loaded) await device.load({ routerRtpCapabilities });
    return device.recvRtpCapabilities;
  },

  openTransport(direction: 'send' | 'recv', options: types.TransportOptions): void {
    const transport = direction === 'send' ? device.createSendTransport(options) : device.createRecvTransport(options);
    transports.set(transport.id, transport);
    transport.on(
      'connect',
      ({ dtlsParameters }, done, failed) => void connectTransport(transport.id, dtlsParameters).then(done, failed),
    );
    transport.on(
      'produce',
      (parameters, done, failed) => void produce(transport.id, parameters).then(id => done({ id }), failed),
    );
  },

  closeTransport(id: string): void {
    transports.get(id)?.close();
    transports.delete(id);
  },

  async publish(transportId: string, what: 'audio' | 'video' | 'simulcast'): Promise<string> {
    camera ??= await navigator.mediaDevices.getUserMedia({
      audio: true,
      video: { width: 640, height: 360, frameRate: 30 },
    });
    const [track] = what === 'audio' ? camera.getAudioTracks() : camera.getVideoTracks();
    const encodings =
      what === 'simulcast' ? [{ scaleResolutionDownBy: 2, maxBitrate: 200_000 }, { maxBitrate: 900_000 }] : undefined;
    const producer = await (transports.get(transportId) as types.Transport).produce({
      track,
      encodings,
      stopTracks: false,
      codecOptions: { videoGoogleStartBitrate: 2000 },
    });
    producers.set(producer.id, producer);
    return producer.id;
  },

  unpublish(producerId: string): void {
    producers.get(producerId)?.close();
    producers.delete(producerId);
  },

  async view(transportId: string, options: types.ConsumerOptions): Promise<void> {
    const consumer = await (transports.get(transportId) as types.Transport).consume(options);
    const viewer: Viewer = { consumer, waiting: [] };
    viewers.set(consumer.id, viewer);
    if (consumer.kind === 'video') void read(viewer);
  },

  /** Resolves with when the next frame was decoded that is at least so wide, and begins to wait at once. */
  frame(consumerId: string, minWidth: number): Promise<number> {
    return new Promise(resolve => {
      viewers.get(consumerId)?.waiting.push((at, width) => {
        if (width < minWidth) return false;
        resolve(at);
        return true;
      });
    });
  },

  leave(consumerId: string): void {
    viewers.get(consumerId)?.consumer.close();
    viewers.delete(consumerId);
  },
};

async function read(viewer: Viewer): Promise<void> {
  const reader = new MediaStreamTrackProcessor({ track: viewer.consumer.track }).readable.getReader();
  for (;;) {
    const { value: frame } = await reader.read();
    if (!frame) return;
    const at = now();
    viewer.waiting = viewer.waiting.filter(waiting => !waiting(at, frame.codedWidth));
    frame.close();
  }
}

export type BenchPage = typeof page;
Object.assign(globalThis, { page });
