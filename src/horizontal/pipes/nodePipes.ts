/** Pipes of a MafaldaRouter between its nodes: made on demand, asleep while they are not wanted, and supervised. */
import type { Router, RtpObserver } from 'mediasoup/types';
import type { ObjectTree } from '../../core/objectTree.ts';
import { streamKey, type StreamId } from '../../piping/endpoint.ts';
import { PipeFlow } from '../../piping/flow/pipeFlow.ts';
import type { StreamAccess } from '../../piping/intercept.ts';
import { reportLostMessages } from '../../piping/lostMessages.ts';
import { Piper } from '../../piping/piper.ts';
import type { Streams } from '../../piping/streams.ts';
import type { StreamUsers } from '../../piping/streamUsers.ts';
import type { ClusterNode } from '../clusterNode.ts';
import type { NodePool } from '../nodePool.ts';
import type { Parts } from '../parts.ts';
import type { PeerRole } from '../peerRole.ts';
import { makeDetour } from '../reachability/detour.ts';
import { askerOptions } from './askerOptions.ts';
import { DoubledStreams } from './doubledStreams.ts';
import { interceptObject } from './interceptObject.ts';
import { PipeSupervision } from './pipeSupervision.ts';
import { chooseSourceNode } from './sources.ts';

export interface NodePipesOptions {
  tree: ObjectTree;
  /** Streams of the same tree. */
  streams: Streams;
  /** Users of the same tree. */
  users: StreamUsers;
  /** Id of the MafaldaRouter. */
  room: string;
  nodes: NodePool;
  parts: Parts;
  /** Undefined if this machine is no node that others use. */
  peer: PeerRole | undefined;
  /** Returns the node of a URL, which may just have become known; undefined if it can't be found. */
  meet: (url: string) => Promise<ClusterNode | undefined>;
  /** Makes known a stream that others may have produced on any node. */
  seek: (id: string) => Promise<void>;
  /** Returns whether this controller leaves the MafaldaRouter. */
  isLeaving: () => boolean;
  /** Called with the reason why one of two streams with the same id was closed. */
  onClosed: (error: Error) => void;
}

export class NodePipes {
  readonly #options: NodePipesOptions;
  readonly #piper: Piper;
  readonly #supervision: PipeSupervision;
  readonly #doubledStreams: DoubledStreams;
  readonly #flow: PipeFlow;

  constructor(options: NodePipesOptions) {
    const { tree, streams, users, room, nodes, parts, peer, meet } = options;
    this.#options = options;
    const nodeOf = (router: Router): ClusterNode => this.#nodeOf(router);
    const isLost = (router: Router): boolean => this.#isOutOfSight(router);
    this.#piper = new Piper({
      tree,
      streams,
      network: true,
      room,
      decisions: nodes.pipes,
      domainOf: router => nodeOf(router).id,
      endpointOf: router => parts.get(nodeOf(router)),
      isLost,
      startsAsleep: (streamId, destination) => this.#flow.startsAsleep(streamId, destination),
      onAwake: consumer => this.#flow.markAwake(consumer),
      chooseSource: (places, destination) => chooseSourceNode(places, destination, nodes, nodeOf, peer?.fanOut),
      asker: askerOptions({ tree, nodes, parts, peer, meet }),
      detour: (stream, places, destination) =>
        makeDetour(stream, places, destination, {
          nodes,
          nodeOf,
          hasRouters: node => parts.isBusy(node),
          partOn: node => parts.get(node),
          reaches: (one, other) => nodes.reach(one, other),
          bring: (...wanted) => this.#piper.bring(...wanted),
        }),
    });
    tree.on('add', node =>
      interceptObject(node, streams, {
        transport: router => this.#accessFrom(router, () => nodeOf(router).expectConsumer()),
        rtpObserver: router => this.#accessFrom(router),
      }),
    );
    // Each node reports the losses of pipes within it.
    reportLostMessages({ tree, streams, users, concerns: (from, to) => nodeOf(from) !== nodeOf(to) });
    this.#supervision = new PipeSupervision({ tree, streams, users, nodeOf, isLost, partOn: node => parts.get(node) });
    this.#doubledStreams = new DoubledStreams({
      tree,
      isOwn: object => parts.isOwn(object),
      onClosed: error => options.onClosed(error),
    });
    this.#flow = new PipeFlow({ tree, streams, domainOf: nodeOf, alone: false });
  }

  /** Ends the supervision. Existing pipes stay, as long as they are used. */
  close(): void {
    this.#supervision.close();
    this.#doubledStreams.close();
    this.#flow.close();
    this.#piper.close();
  }

  /** Records an RtpObserver that this process has made: it observes no Producer yet. */
  markOwn(rtpObserver: RtpObserver): void {
    this.#flow.markOwn(rtpObserver);
  }

  /** Returns whether another Piper is bringing the stream here, perhaps from a Router that is out of sight. */
  isArriving(id: string): boolean {
    return this.#piper.isArriving(id);
  }

  /** Runs the arrival of a pipe that another Piper makes into a Router of these nodes. */
  accept(stream: StreamId, router: Router, arrive: () => Promise<void>): Promise<void> {
    return this.#piper.accept(stream, this.#nodeOf(router).id, arrive);
  }

  #nodeOf(router: Router): ClusterNode {
    return this.#options.parts.nodeOf(router)!;
  }

  /**
   * Returns whether the Router's objects close here without closing at their node, where others may use them: the node
   * is lost, or this controller leaves.
   */
  #isOutOfSight(router: Router): boolean {
    return this.#options.isLeaving() || this.#nodeOf(router).lost;
  }

  /** @param onFind called before the first `await` */
  #accessFrom(router: Router, onFind?: () => void): StreamAccess {
    const { streams, seek } = this.#options;
    return {
      streams,
      find: async (stream, untilArrived) => {
        onFind?.();
        const id = streamKey(stream);
        if (!untilArrived) return { id, ...(await this.#piper.announce(stream, router)) };
        await this.#piper.bring(stream, router);
        return { id };
      },
      isHere: where => this.#nodeOf(where) === this.#nodeOf(router),
      isArriving: id => this.#piper.isArriving(id),
      seek,
    };
  }
}
