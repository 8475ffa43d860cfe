/** The mirrors of mediasoup's classes. `implements` lets the compiler prove that each is a drop-in. */
import * as ortc from 'mediasoup/ortc';
import { UnsupportedError } from 'mediasoup/errors';
import type * as types from 'mediasoup/types';
import { classes, type ClassName } from '../protocol/classes.ts';
import { coreOf, mirrorClass } from './mirror.ts';
import type { MirrorCore } from './mirrorCore.ts';

export class RemoteWorker
  extends mirrorClass<types.Worker, types.WorkerEvents, types.WorkerObserverEvents>()(classes.Worker)
  implements types.Worker
{
  #died = false;

  get died(): boolean {
    return this.#died;
  }

  /** To be called before it closes because of that. */
  markDied(): void {
    this.#died = true;
  }

  createRouter(): never {
    throw new UnsupportedError('the Routers of a remote Worker are made by MafaldaRouters');
  }

  createWebRtcServer(): never {
    throw new UnsupportedError('the WebRtcServers of a remote Worker are made at its own machine');
  }
}

export class RemoteRouter
  extends mirrorClass<types.Router, types.RouterEvents, types.RouterObserverEvents>()(classes.Router)
  implements types.Router
{
  canConsume({ producerId, rtpCapabilities }: { producerId: string; rtpCapabilities: types.RtpCapabilities }): boolean {
    for (const transport of coreOf(this)!.children) {
      for (const { id, object } of transport.children) {
        if (id !== producerId || !(object instanceof RemoteProducer)) continue;
        return ortc.canConsume(object.consumableRtpParameters, structuredClone(rtpCapabilities));
      }
    }
    return false;
  }
}

export class RemoteWebRtcTransport
  extends mirrorClass<types.WebRtcTransport, types.WebRtcTransportEvents, types.WebRtcTransportObserverEvents>()(classes.WebRtcTransport)
  implements types.WebRtcTransport
{}

export class RemotePlainTransport
  extends mirrorClass<types.PlainTransport, types.PlainTransportEvents, types.PlainTransportObserverEvents>()(classes.PlainTransport)
  implements types.PlainTransport
{}

export class RemotePipeTransport
  extends mirrorClass<types.PipeTransport, types.PipeTransportEvents, types.PipeTransportObserverEvents>()(classes.PipeTransport)
  implements types.PipeTransport
{}

export class RemoteDirectTransport
  extends mirrorClass<types.DirectTransport, types.DirectTransportEvents, types.DirectTransportObserverEvents>()(classes.DirectTransport)
  implements types.DirectTransport
{}

export class RemoteActiveSpeakerObserver
  extends mirrorClass<types.ActiveSpeakerObserver, types.ActiveSpeakerObserverEvents, types.ActiveSpeakerObserverObserverEvents>()(
    classes.ActiveSpeakerObserver,
  )
  implements types.ActiveSpeakerObserver
{}

export class RemoteAudioLevelObserver
  extends mirrorClass<types.AudioLevelObserver, types.AudioLevelObserverEvents, types.AudioLevelObserverObserverEvents>()(
    classes.AudioLevelObserver,
  )
  implements types.AudioLevelObserver
{}

export class RemoteProducer
  extends mirrorClass<types.Producer, types.ProducerEvents, types.ProducerObserverEvents>()(classes.Producer)
  implements types.Producer
{}

export class RemoteConsumer
  extends mirrorClass<types.Consumer, types.ConsumerEvents, types.ConsumerObserverEvents>()(classes.Consumer)
  implements types.Consumer
{}

export class RemoteDataProducer
  extends mirrorClass<types.DataProducer, types.DataProducerEvents, types.DataProducerObserverEvents>()(classes.DataProducer)
  implements types.DataProducer
{}

export class RemoteDataConsumer
  extends mirrorClass<types.DataConsumer, types.DataConsumerEvents, types.DataConsumerObserverEvents>()(classes.DataConsumer)
  implements types.DataConsumer
{}

const mirrorClasses = {
  Worker: RemoteWorker,
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

export function createMirror(className: ClassName, core: MirrorCore, appData: types.AppData): object {
  return new mirrorClasses[className](core, appData);
}
