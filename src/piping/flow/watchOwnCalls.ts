/**
 * Reports to a PipeFlow the calls that this process makes on objects of a MafaldaRouter, so that the pipes concerned
 * are woken at once, and the beginning of a stream that is consumed or resumed is not missed. As on a single Router,
 * packets sent after such a call has been answered arrive.
 */
import type { Consumer, DataConsumer, DataProducer, Producer, Router, RtpObserver, Transport } from 'mediasoup/types';
import { logger } from '../../core/logger.ts';
import { logRejection, logRejections } from '../../core/logRejections.ts';
import type { ObjectTree, TreeNode } from '../../core/objectTree.ts';
import { isLinkTransport } from '../endpoint.ts';
import type { Streams } from '../streams.ts';
import type { PipeFlow } from './pipeFlow.ts';

const log = logger('flow');

interface Context {
  readonly streams: Streams;
  readonly flow: PipeFlow;
  readonly domainOf: (router: Router) => unknown;
}

/** Must be called after all other interceptors of these methods, so that it is outermost. */
export function watchOwnCalls(tree: ObjectTree, context: Context): void {
  const watchConsumer = consumerWatcher(tree, context);
  const add = (node: TreeNode): void => {
    const { type, object, parent } = node;
    const router =
      parent?.type === 'router' ? parent.object : parent?.parent?.type === 'router' ? parent.parent.object : undefined;
    if (!router) return;
    if (type === 'rtpObserver') watchRtpObserver(object, router, context);
    if (type === 'transport' && !isLinkTransport(object)) watchTransport(object, router, context);
    if (type === 'producer' || type === 'dataProducer') watchProducer(object, router, context);
    if (parent?.type !== 'transport' || isLinkTransport(parent.object)) return;
    if (type === 'consumer' || type === 'dataConsumer') watchConsumer(object);
  };
  for (const node of tree.nodes()) add(node);
  tree.on('add', add);
}

function watchTransport(transport: Transport, router: Router, { flow, streams }: Context): void {
  const consume = transport.consume.bind(transport);
  const consumeData = transport.consumeData.bind(transport);
  transport.consume = async options => {
    const hears = !options?.paused && streams.producer(options?.producerId)?.kind === 'audio';
    // Video is not expected early: it begins with a key frame, for which its viewer has to be there.
    const expected = hears ? flow.expect(options.producerId, router) : undefined;
    try {
      const consumer = await consume(options);
      flow.watcherChanged(consumer, consumer.producerId, router.id);
      return consumer;
    } finally {
      expected?.release();
    }
  };
  transport.consumeData = async options => {
    const expected =
      !options?.paused && typeof options?.dataProducerId === 'string'
        ? flow.expect(options.dataProducerId, router)
        : undefined;
    try {
      const consumer = await consumeData(options);
      flow.watcherChanged(consumer, consumer.dataProducerId, router.id);
      await expected?.flowing();
      return consumer;
    } finally {
      expected?.release();
    }
  };
  logRejections(transport, ['consume', 'consumeData']);
}

type Watched = Consumer | DataConsumer;
type Call = (this: Watched) => Promise<void>;

/**
 * Returns the function that watches a Consumer. Consumers are many, so all share the same methods, which look up their
 * Router in the tree.
 */
function consumerWatcher(tree: ObjectTree, { flow }: Context): (consumer: Watched) => void {
  const changed = (consumer: Watched, router: Router | undefined): void => {
    if (router) flow.watcherChanged(consumer, streamIdOf(consumer), router.id);
  };
  const makers: Readonly<Record<'pause' | 'resume', (own?: Call) => Call>> = {
    pause: own =>
      async function () {
        await (own ?? ofClass(this).pause).call(this);
        changed(this, routerOf(tree, this));
      },
    resume: own =>
      async function () {
        const router = routerOf(tree, this);
        const isVideo = 'kind' in this && this.kind === 'video';
        const expected = isVideo || this.closed || !router ? undefined : flow.expect(streamIdOf(this), router);
        try {
          await (own ?? ofClass(this).resume).call(this);
          changed(this, router);
          await expected?.flowing();
        } finally {
          expected?.release();
        }
      },
  };
  const shared = { pause: logged('pause()', makers.pause()), resume: logged('resume()', makers.resume()) };
  return consumer => {
    for (const name of ['pause', 'resume'] as const) {
      // Another interceptor may have replaced the method of this Consumer already.
      const value = Object.hasOwn(consumer, name)
        ? logged(`${name}()`, makers[name](Reflect.get<Watched, 'pause' | 'resume'>(consumer, name)))
        : shared[name];
      Object.defineProperty(consumer, name, { configurable: true, writable: true, value });
    }
  };
}

function logged(name: string, call: Call): Call {
  return function () {
    return logRejection(call.call(this), name);
  };
}

function ofClass(consumer: Watched): Watched {
  return Object.getPrototypeOf(consumer) as Watched;
}

function streamIdOf(consumer: Watched): string {
  return 'producerId' in consumer ? consumer.producerId : consumer.dataProducerId;
}

/** Returns the Consumer's Router; undefined if the Consumer has closed or is no longer shown here. */
function routerOf(tree: ObjectTree, consumer: Watched): Router | undefined {
  const node = tree.nodeOf<'consumer' | 'dataConsumer'>(consumer)?.parent?.parent;
  return node?.type === 'router' ? node.object : undefined;
}

function watchRtpObserver(rtpObserver: RtpObserver, router: Router, { flow }: Context): void {
  const addProducer = rtpObserver.addProducer.bind(rtpObserver);
  rtpObserver.addProducer = async options => {
    const expected =
      typeof options?.producerId === 'string' && !rtpObserver.paused
        ? flow.expect(options.producerId, router)
        : undefined;
    try {
      await addProducer(options);
    } finally {
      expected?.release();
    }
  };
  logRejections(rtpObserver, ['addProducer']);
}

/**
 * Resumes the copies of a Producer together with it, not only when word of that has come back from its server: by then
 * the key frame with which the stream begins would be over.
 */
function watchProducer(producer: Producer | DataProducer, router: Router, { streams, domainOf }: Context): void {
  const resume = producer.resume.bind(producer);
  producer.resume = async () => {
    const copies = streams
      .find(producer.id)
      .filter(
        place => place.from === router.id && place.producer.paused && domainOf(place.router) !== domainOf(router),
      );
    const following = copies.map(async ({ producer: copy }) => {
      try {
        await copy.resume();
      } catch (error) {
        // The copy's own end of the pipe repeats the resume.
        log.warn('producer %s: %o', copy.id, error);
      }
    });
    // The origin is resumed after its copies: on a busy machine its packets may arrive sooner than they are ready.
    await resume();
    if (!('kind' in producer)) await Promise.all(following);
  };
  logRejections(producer, ['resume']);
}
