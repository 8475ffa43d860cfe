import type { RouterOptions } from 'mediasoup/types';
import type { MafaldaRouter } from '../api/types.ts';
import type { ObjectTree } from '../core/objectTree.ts';
import type { LeaveRequest, PipeEndpoint } from '../piping/endpoint.ts';

/**
 * A MafaldaRouter as the layers of this package see it: with the tree of its objects, from which they follow what
 * comes and goes, and with the ends of pipes, with which they let streams flow in and out.
 */
export interface PipeableMafaldaRouter extends MafaldaRouter, PipeEndpoint {
  readonly tree: ObjectTree;
  /** What its Routers are made with. */
  readonly routerOptions: RouterOptions;
  /** Gives one that was made without `routerOptions` those that it is to have. Does nothing if it is in use already. */
  define(routerOptions: RouterOptions): void;
  /** Resolves when all that there was at the time of the call is in the tree. Nothing is created on any Worker for that. */
  attach(): Promise<void>;
  /**
   * The caller has lost sight of the Router at the other end. The Consumers that it gives up close as if their Producer had; the links
   * between the two Routers close too, unless others use them and still get something through them.
   */
  leaveLinks(request: LeaveRequest): Promise<void>;
  /** Ends it here, with what was made through it. Where others use it too, what is theirs goes on. */
  leave(): Promise<void>;
  /** To be called when it has closed here only since its node was lost: closes it there, too, once the node can hear it, as long as it is the same one. */
  closeLost(): void;
}
