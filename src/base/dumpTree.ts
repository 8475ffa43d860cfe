/** Dump of a tree's objects as JSON, from which they can be understood and made again. */
import type { AppData } from 'mediasoup/types';
import type { MafaldaRouterDump, ObjectDump, PipeDump, TransportDump, WorkerDump } from '../api/dump.ts';
import type { ResolvedMafaldaRouterOptions } from '../api/mafaldaRouterOptions.ts';
import type { ObjectTree, ObjectType, TreeNode } from '../core/objectTree.ts';
import { linkedRouterId } from '../piping/endpoint.ts';
import { lostMessagesOf } from '../piping/lostMessages.ts';

const properties: Record<ObjectType, readonly string[]> = {
  worker: [],
  webRtcServer: [],
  router: ['rtpCapabilities'],
  transport: [
    ...['type', 'tuple', 'rtcpTuple', 'srtpParameters', 'sctpParameters', 'sctpState'],
    ...['iceParameters', 'iceCandidates', 'iceState', 'iceSelectedTuple', 'dtlsParameters', 'dtlsState'],
  ],
  rtpObserver: ['type', 'paused'],
  producer: ['kind', 'type', 'rtpParameters', 'paused', 'score'],
  consumer: [
    'producerId',
    'kind',
    'type',
    'rtpParameters',
    'paused',
    'producerPaused',
    'preferredLayers',
    'currentLayers',
    'priority',
    'score',
  ],
  dataProducer: ['type', 'sctpStreamParameters', 'label', 'protocol', 'paused'],
  dataConsumer: [
    'dataProducerId',
    'type',
    'sctpStreamParameters',
    'label',
    'protocol',
    'paused',
    'dataProducerPaused',
    'subchannels',
  ],
};

/**
 * Dumps the tree of a MafaldaRouter.
 * @param loadOf returns the load of a Worker in percent of one core, by its id
 */
export function dumpTree(
  tree: ObjectTree,
  options: ResolvedMafaldaRouterOptions,
  loadOf: (workerId: string) => number,
): MafaldaRouterDump {
  const { id, ...rest } = options;
  const nodes = [...tree.nodes()];
  return toJson({
    id,
    options: rest,
    workers: nodes.filter(node => node.type === 'worker').map(worker => dumpWorker(worker, loadOf(worker.id))),
    pipes: nodes.flatMap(dumpPipe),
    orphans: [],
  });
}

function dumpWorker(worker: TreeNode<'worker'>, load: number): WorkerDump {
  const routers = childrenOf(worker, 'router').map(router => ({
    ...dumpObject(router),
    transports: childrenOf(router, 'transport').map(dumpTransport),
    rtpObservers: childrenOf(router, 'rtpObserver').map(observer => ({
      ...dumpObject(observer),
      producerIds: [...observer.observed],
    })),
  }));
  return { id: worker.id, pid: worker.object.pid, load, routers };
}

function dumpTransport(transport: TreeNode): TransportDump {
  return {
    ...dumpObject(transport),
    type: String((transport.object as { type?: string }).type),
    producers: childrenOf(transport, 'producer').map(dumpObject),
    consumers: childrenOf(transport, 'consumer').map(dumpObject),
    dataProducers: childrenOf(transport, 'dataProducer').map(dumpObject),
    dataConsumers: childrenOf(transport, 'dataConsumer').map(dumpObject),
  };
}

/** Returns the pipe that begins with this node: every Consumer or DataConsumer at the end of a link begins a pipe. */
function dumpPipe(node: TreeNode): PipeDump[] {
  if (node.type !== 'consumer' && node.type !== 'dataConsumer') return [];
  const transport = node.parent?.type === 'transport' ? node.parent : undefined;
  const to = transport && linkedRouterId(transport.object);
  if (to === undefined || !transport?.parent) return [];
  const streamId = node.type === 'consumer' ? node.object.producerId : node.object.dataProducerId;
  const lostMessages = node.type === 'dataConsumer' ? lostMessagesOf(node.object) || undefined : undefined;
  return [{ streamId, from: transport.parent.id, to, lostMessages }];
}

function dumpObject(node: TreeNode): ObjectDump {
  const object = node.object as unknown as Record<string, unknown>;
  const values = Object.fromEntries(properties[node.type].map(name => [name, object[name]]));
  return { id: node.id, appData: serialisable(node.object.appData), ...values };
}

/**
 * Returns the appData as JSON. The application may keep any value in it; appData that JSON can't hold is left out as a
 * whole.
 */
function serialisable(appData: AppData): AppData {
  try {
    return toJson(appData);
  } catch {
    return {};
  }
}

/** Returns the value as another process would receive it: without undefined members, and independent of the objects. */
function toJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function childrenOf<T extends ObjectType>(node: TreeNode, type: T): TreeNode<T>[] {
  return [...node.children].filter(child => child.type === type) as TreeNode<T>[];
}
