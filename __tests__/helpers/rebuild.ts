/** Makes again what a dump describes, and compares what two dumps describe. */
import type { DataConsumerOptions, ProducerOptions, Transport, TransportTuple } from 'mediasoup/types';
import type { MafaldaRouter, MafaldaRouterDump, TransportDump } from '../../src/index.ts';

/** From nothing but the dump. */
export async function rebuild(mafaldaRouter: MafaldaRouter, dump: MafaldaRouterDump): Promise<void> {
  const routers = dump.workers.flatMap(worker => worker.routers);
  const described = routers.flatMap(router => router.transports).filter(({ type }) => type !== 'pipe');
  const transports: { described: TransportDump; transport: Transport }[] = [];
  for (const one of described)
    transports.push({ described: one, transport: await createTransport(mafaldaRouter, one) });
  for (const { described: one, transport } of transports) {
    for (const producer of one.producers) await transport.produce(producer as unknown as ProducerOptions);
    for (const producer of one.dataProducers) await transport.produceData(producer);
  }
  const rtpCapabilities = await mafaldaRouter.getRtpCapabilities();
  for (const { described: one, transport } of transports) {
    for (const { producerId, paused, appData } of one.consumers) {
      await transport.consume({ producerId: String(producerId), rtpCapabilities, paused: Boolean(paused), appData });
    }
    for (const { dataProducerId, paused, appData } of one.dataConsumers) {
      await transport.consumeData({ dataProducerId, paused, appData } as DataConsumerOptions);
    }
  }
  for (const { type, producerIds } of routers.flatMap(router => router.rtpObservers)) {
    const observer = await (type === 'audiolevel'
      ? mafaldaRouter.createAudioLevelObserver()
      : mafaldaRouter.createActiveSpeakerObserver());
    for (const producerId of producerIds) await observer.addProducer({ producerId });
  }
}

/** What an application has made, without what differs from run to run. */
export function shapeOf(dump: MafaldaRouterDump): object {
  const routers = dump.workers.flatMap(worker => worker.routers);
  const transports = routers.flatMap(router => router.transports).filter(({ type }) => type !== 'pipe');
  return {
    options: dump.options,
    transports: sorted(
      transports.map(({ type, producers, consumers, dataProducers, dataConsumers }) => ({
        type,
        producers: producers.map(({ id, kind, paused, appData }) => ({ id, kind, paused, appData })),
        consumers: consumers.map(({ producerId, kind, paused, producerPaused }) => ({
          producerId,
          kind,
          paused,
          producerPaused,
        })),
        dataProducers: dataProducers.map(({ id, label, protocol, appData }) => ({ id, label, protocol, appData })),
        dataConsumers: dataConsumers.map(({ dataProducerId, label }) => ({ dataProducerId, label })),
      })),
    ),
    rtpObservers: sorted(
      routers.flatMap(router => router.rtpObservers.map(({ type, producerIds }) => ({ type, producerIds }))),
    ),
  };
}

function createTransport(mafaldaRouter: MafaldaRouter, { type, tuple, appData }: TransportDump): Promise<Transport> {
  if (type === 'direct') return mafaldaRouter.createDirectTransport({ appData });
  const { protocol, localAddress: ip } = tuple as TransportTuple;
  return mafaldaRouter.createPlainTransport({ listenInfo: { protocol, ip }, comedia: true, appData });
}

function sorted(list: object[]): object[] {
  return [...list].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}
