/** Mirrors of mediasoup's classes. `implements` lets the compiler prove that each is a drop-in replacement. */
import * as ortc from 'mediasoup/ortc';
import { UnsupportedError } from 'mediasoup/errors';
import type * as types from 'mediasoup/types';
import { copyOf, readingUncopied } from '../../core/copies.ts';
import { logger } from '../../core/logger.ts';
import { onceClosed } from '../../core/onceClosed.ts';
import { classes, type ClassName } from '../protocol/classes.ts';
import { coreOf, mirrorClass } from './mirror.ts';
import type { MirrorCore } from './mirrorCore.ts';

const log = logger('client');

export class RemoteWorker
  extends mirrorClass<types.Worker, types.WorkerEvents, types.WorkerObserverEvents>()(classes.Worker)
  implements types.Worker
{
  get died(): boolean {
    return coreOf(this)!.endedBy === 'died';
  }
}

/** A Worker of MafaldaRouters. It may hold other clients' Routers too, so that only the server manages it. */
export class RemoteSharedWorker
  extends mirrorClass<types.Worker, types.WorkerEvents, types.WorkerObserverEvents>()(classes.SharedWorker)
  implements types.Worker
{
  get died(): boolean {
    return coreOf(this)!.endedBy === 'died';
  }

  override close(): never {
    throw new UnsupportedError(
      'this Worker is shared by MafaldaRouters: close those, and it is closed when it is empty',
    );
  }

  async updateSettings(): Promise<never> {
    throw new UnsupportedError(
      'this Worker is shared by MafaldaRouters: its settings are the workerSettings that they were made with',
    );
  }

  async createRouter(): Promise<never> {
    throw new UnsupportedError(
      'the Routers of this Worker are made by MafaldaRouters; for Workers of your own there is client.mediasoup',
    );
  }

  async createWebRtcServer(): Promise<never> {
    throw new UnsupportedError(
      'this Worker is shared by MafaldaRouters; for Workers of your own there is client.mediasoup',
    );
  }
}

export class RemoteWebRtcServer
  extends mirrorClass<types.WebRtcServer, types.WebRtcServerEvents, types.WebRtcServerObserverEvents>()(
    classes.WebRtcServer,
  )
  implements types.WebRtcServer
{
  readonly #transports = new Set<types.WebRtcTransport>();

  constructor(core: MirrorCore, appData: types.AppData) {
    super(core, appData);
    this.observer.on('webrtctransporthandled', transport => this.#follow(transport));
  }

  handleWebRtcTransport(): never {
    throw new UnsupportedError('private to mediasoup');
  }

  /** Closes at once, with its WebRtcTransports, as mediasoup does. */
  override close(): void {
    if (this.closed) return;
    const transports = [...this.#transports];
    this.#transports.clear();
    super.close();
    for (const transport of transports) {
      transport.listenServerClosed();
      this.observer.safeEmit('webrtctransportunhandled', transport);
    }
  }

  #follow(transport: types.WebRtcTransport): void {
    this.#transports.add(transport);
    onceClosed(transport, () => {
      // mediasoup emits nothing if the Router has closed the transport.
      if (this.#transports.delete(transport) && !coreOf(transport)?.parent?.closed)
        this.observer.safeEmit('webrtctransportunhandled', transport);
    });
  }
}

export class RemoteRouter
  extends mirrorClass<types.Router, types.RouterEvents, types.RouterObserverEvents>()(classes.Router)
  implements types.Router
{
  canConsume({ producerId, rtpCapabilities }: { producerId: string; rtpCapabilities: types.RtpCapabilities }): boolean {
    const producer = coreOf(this)!.producer(producerId);
    if (!(producer instanceof RemoteProducer)) return false;
    try {
      const consumable = readingUncopied(() => producer.consumableRtpParameters);
      return ortc.canConsume(consumable, copyOf(rtpCapabilities));
    } catch (error) {
      log.warn('canConsume() | %o', error);
      return false;
    }
  }
}

export class RemoteWebRtcTransport
  extends mirrorClass<types.WebRtcTransport, types.WebRtcTransportEvents, types.WebRtcTransportObserverEvents>()(
    classes.WebRtcTransport,
  )
  implements types.WebRtcTransport {}

export class RemotePlainTransport
  extends mirrorClass<types.PlainTransport, types.PlainTransportEvents, types.PlainTransportObserverEvents>()(
    classes.PlainTransport,
  )
  implements types.PlainTransport {}

export class RemotePipeTransport
  extends mirrorClass<types.PipeTransport, types.PipeTransportEvents, types.PipeTransportObserverEvents>()(
    classes.PipeTransport,
  )
  implements types.PipeTransport {}

export class RemoteDirectTransport
  extends mirrorClass<types.DirectTransport, types.DirectTransportEvents, types.DirectTransportObserverEvents>()(
    classes.DirectTransport,
  )
  implements types.DirectTransport {}

export class RemoteActiveSpeakerObserver
  extends mirrorClass<
    types.ActiveSpeakerObserver,
    types.ActiveSpeakerObserverEvents,
    types.ActiveSpeakerObserverObserverEvents
  >()(classes.ActiveSpeakerObserver)
  implements types.ActiveSpeakerObserver {}

export class RemoteAudioLevelObserver
  extends mirrorClass<
    types.AudioLevelObserver,
    types.AudioLevelObserverEvents,
    types.AudioLevelObserverObserverEvents
  >()(classes.AudioLevelObserver)
  implements types.AudioLevelObserver {}

export class RemoteProducer
  extends mirrorClass<types.Producer, types.ProducerEvents, types.ProducerObserverEvents>()(classes.Producer)
  implements types.Producer {}

export class RemoteConsumer
  extends mirrorClass<types.Consumer, types.ConsumerEvents, types.ConsumerObserverEvents>()(classes.Consumer)
  implements types.Consumer {}

export class RemoteDataProducer
  extends mirrorClass<types.DataProducer, types.DataProducerEvents, types.DataProducerObserverEvents>()(
    classes.DataProducer,
  )
  implements types.DataProducer {}

export class RemoteDataConsumer
  extends mirrorClass<types.DataConsumer, types.DataConsumerEvents, types.DataConsumerObserverEvents>()(
    classes.DataConsumer,
  )
  implements types.DataConsumer {}

const mirrorClasses = {
  Worker: RemoteWorker,
  SharedWorker: RemoteSharedWorker,
  WebRtcServer: RemoteWebRtcServer,
  Router: RemoteRouter,
  WebRtcTransport: RemoteWebRtcTransport,
  PlainTransport: RemotePlainTransport,
  PipeTransport: RemotePipeTransport,
  DirectTransport: RemoteDirectTransport,
  ActiveSpeakerObserver: RemoteActiveSpeakerObserver,
  AudioLevelObserver: RemoteAudioLevelObserver,
  Producer: RemoteProducer,
  Consumer: RemoteConsumer,
  DataProducer: RemoteDataProducer,
  DataConsumer: RemoteDataConsumer,
} satisfies Record<ClassName, unknown>;

export function isWorker(object: object): object is RemoteWorker | RemoteSharedWorker {
  return object instanceof RemoteWorker || object instanceof RemoteSharedWorker;
}

export function createMirror(className: ClassName, core: MirrorCore, appData: types.AppData): object {
  return new mirrorClasses[className](core, appData);
}
