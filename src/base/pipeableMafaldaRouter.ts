/** The interface by which layers of this package use each other's MafaldaRouters. */
import type { RouterOptions } from 'mediasoup/types';
import type { MafaldaRouter } from '../api/types.ts';
import type { ObjectTree } from '../core/objectTree.ts';
import type { LeaveRequest, PipeEndpoint } from '../piping/endpoint.ts';
import type { Streams } from '../piping/streams.ts';
import type { StreamUsers } from '../piping/streamUsers.ts';

/**
 * A MafaldaRouter as the layers of this package see it: with the tree of its objects, which they watch, and with the
 * requests for the ends of pipes, by which they let streams flow in and out.
 */
export interface PipeableMafaldaRouter extends MafaldaRouter, PipeEndpoint {
  readonly tree: ObjectTree;
  /** Streams of the tree. */
  readonly streams: Streams;
  /** Users of these streams. */
  readonly users: StreamUsers;
  /** mediasoup's options of its Routers. */
  readonly routerOptions: RouterOptions;
  /** Sets the `routerOptions` of a MafaldaRouter that was made without them. Does nothing if it is in use already. */
  define(routerOptions: RouterOptions): void;
  /**
   * Resolves when all objects that existed at the time of the call are in the tree. Creates nothing on any Worker.
   * @returns false if some of them may be missing, since a node could not be asked, or has not answered in time
   */
  attach(): Promise<boolean>;
  /**
   * Takes over objects that another user has made: the server where they are closes them with this user from now on, and
   * no longer with that one. Objects that are unknown there, or nobody's, are left out.
   */
  adopt(objects: readonly object[]): Promise<void>;
  /**
   * Leaves the links to a Router that the caller has lost sight of. The Consumers that it gives up close as if their
   * Producer had; the links between the two Routers close too, unless others use them and still get packets through
   * them.
   */
  leaveLinks(request: LeaveRequest): Promise<void>;
  /** Closes it like `close()`, in turns with other work if it has many objects, after it has told its own end. */
  closeInTurns(): Promise<void>;
  /** Ends the MafaldaRouter here, and closes the objects made through it. Objects of its other users stay. */
  leave(): Promise<void>;
  /**
   * Closes the MafaldaRouter at its node once the node can hear it, as long as it is the same MafaldaRouter. Must be
   * called if it has closed here only because its node was lost.
   */
  closeLost(): void;
}
