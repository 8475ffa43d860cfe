/** mediasoup Routers, each on a Worker of its own, followed by an ObjectTree, with links between them: what piping works on. */
import * as mediasoup from 'mediasoup';
import type { DirectTransport, Producer, Router, Worker } from 'mediasoup/types';
import { Decisions } from '../../src/core/decisions.ts';
import { Aliases } from '../../src/local/aliases.ts';
import { IdlePipes } from '../../src/piping/links/idlePipes.ts';
import { RouterLinks } from '../../src/piping/links/routerLinks.ts';
import { ObjectTree } from '../../src/core/objectTree.ts';
import type { PipeEndpoint } from '../../src/piping/endpoint.ts';
import { Piper } from '../../src/piping/piper.ts';
import { Streams } from '../../src/piping/streams.ts';
import { mediaCodecs } from './rtp.ts';

/** Longer than any test. */
const NEVER_MS = 600_000;

export class LinkedRouters {
  readonly tree = new ObjectTree();
  readonly streams = new Streams(this.tree);
  readonly links = new RouterLinks(this.tree.routers, this.streams, new Aliases(), new IdlePipes(this.tree, NEVER_MS));
  readonly workers: Worker[] = [];
  readonly routers: Router[] = [];
  /** Endpoints that a test has put in place of the real one. */
  readonly endpoints = new Map<Router, PipeEndpoint>();
  readonly piper = new Piper({
    tree: this.tree,
    streams: this.streams,
    room: 'room',
    decisions: new Decisions('piping'),
    network: false,
    domainOf: router => router.id,
    endpointOf: router => this.endpoints.get(router) ?? this.links,
    startsAsleep: () => false,
    chooseSource: ([first]) => first!,
  });

  static async create(count = 2): Promise<LinkedRouters> {
    const linked = new LinkedRouters();
    for (let index = 0; index < count; ++index) await linked.addRouter();
    return linked;
  }

  async addRouter(): Promise<Router> {
    const worker = await mediasoup.createWorker();
    this.workers.push(worker);
    const router = await worker.createRouter({ mediaCodecs });
    this.tree.addRouter(router, worker, String(worker.pid));
    this.routers.push(router);
    return router;
  }

  /** A Producer of audio, on a DirectTransport of its own. */
  async produce(
    router: Router,
    id: string,
    paused = false,
  ): Promise<{ transport: DirectTransport; producer: Producer }> {
    const transport = await router.createDirectTransport();
    const producer = await transport.produce({
      id,
      kind: 'audio',
      paused,
      appData: { of: id },
      rtpParameters: {
        codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
        encodings: [{ ssrc: 1111 }],
      },
    });
    return { transport, producer };
  }

  /** The real endpoint, where a test changes some of what it does. */
  change(router: Router, changes: Partial<PipeEndpoint>): void {
    const { links } = this;
    this.endpoints.set(router, {
      openLink: request => links.openLink(request),
      offerPipe: request => links.offerPipe(request),
      connectLink: request => links.connectLink(request),
      acceptPipe: (request, onProduced) => links.acceptPipe(request, onProduced),
      confirmPipes: request => links.confirmPipes(request),
      ...changes,
    });
  }

  /** How many there are of each in the Worker itself. */
  async count(router: Router): Promise<{ producers: number; consumers: number; pipes: number }> {
    const { mapProducerIdConsumerIds, mapConsumerIdProducerId } = (await router.dump()) as unknown as Record<
      string,
      { key: string }[]
    >;
    const pipes = [...this.tree.transports.values()].filter(
      transport => transport.type === 'pipe' && this.tree.nodeOf<'transport'>(transport)?.parent?.object === router,
    );
    return {
      producers: mapProducerIdConsumerIds!.length,
      consumers: mapConsumerIdProducerId!.length,
      pipes: pipes.length,
    };
  }

  async close(): Promise<void> {
    for (const worker of this.workers) {
      if (worker.subprocessClosed) continue;
      const gone = new Promise<void>(resolve => worker.once('subprocessclose', resolve));
      worker.close();
      await gone;
    }
  }
}
