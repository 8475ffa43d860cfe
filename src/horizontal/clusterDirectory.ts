/** A controller's knowledge of its nodes and their rooms: what the nodes tell, and what a directory says beside that. */
import type { DirectoryStatistics } from '../api/statistics.ts';
import { heldRoomsOf } from '../base/roomFinder.ts';
import { OwnRooms, type HeldRooms } from '../core/heldRooms.ts';
import type { RemoteMafaldaClient } from '../remote/client/index.ts';
import type { ClusterNode } from './clusterNode.ts';
import type { Directory, RoomWatch } from './directory/directory.ts';
import { JoinedWatch } from './directory/joinedWatch.ts';
import { ToldDirectory } from './directory/toldDirectory.ts';
import type { NodePool } from './nodePool.ts';
import { RecordedNode } from './recordedNode.ts';
import { RecordedNodes } from './recordedNodes.ts';

export interface ClusterDirectoryOptions {
  nodes: NodePool;
  /** Directory that the application has given. */
  given: Directory | undefined;
  /** Makes a client of a node, which is not open. */
  makeClient: (url: string) => RemoteMafaldaClient;
  /** Removes a node that is not used. */
  remove: (node: ClusterNode) => void;
  onError: (error: Error) => void;
  /** Returns milliseconds, from any moment on. */
  now: () => number;
}

export class ClusterDirectory implements Pick<Directory, 'watch'> {
  readonly #told = new ToldDirectory();
  readonly #given: Directory | undefined;
  readonly #recorded: RecordedNodes | undefined;
  readonly #followed = new Map<ClusterNode, HeldRooms>();
  readonly #onError: (error: Error) => void;

  constructor({ nodes, given, onError, ...options }: ClusterDirectoryOptions) {
    this.#given = given;
    this.#onError = onError;
    nodes.on('added', node => this.#follow(node));
    nodes.on('removed', node => this.#unfollow(node));
    if (!given) return;
    given.on('error', onError);
    this.#recorded = new RecordedNodes({ ...options, nodes, directory: given });
    nodes.settleAfter(given.known);
  }

  /** Rooms that nodes hold, as far as they tell them, or something of this controller's is in them. */
  get heldRooms(): HeldRooms {
    return this.#told;
  }

  /** State of the directory that the application has given, if there is one that counts. */
  get statistics(): DirectoryStatistics | undefined {
    return this.#given?.statistics;
  }

  watch(roomId: string): RoomWatch {
    const told = this.#told.watch(roomId);
    return this.#given ? new JoinedWatch([told, this.#given.watch(roomId)], this.#given.known) : told;
  }

  /** Keeps a node out that the application has removed, until it is gone from the directory, or added. */
  keepOut(node: ClusterNode): void {
    if (node.url !== undefined) this.#recorded?.keepOut(node.url);
  }

  /**
   * Takes a node in that was kept out.
   * @returns whether the directory has it
   */
  takeIn(url: string): boolean {
    return this.#recorded?.takeIn(url) === true;
  }

  /** Follows neither nodes nor the directory any longer, which stays open. */
  close(): void {
    this.#recorded?.close();
    this.#given?.off('error', this.#onError);
  }

  #follow(node: ClusterNode): void {
    // A node that is in a directory has written its rooms there, and needs not tell them all to each controller.
    const rooms = node instanceof RecordedNode ? new OwnRooms(node.mafalda) : heldRoomsOf(node.mafalda);
    this.#followed.set(node, rooms);
    this.#told.follow(node.id, rooms);
  }

  #unfollow(node: ClusterNode): void {
    const rooms = this.#followed.get(node);
    if (rooms) this.#told.unfollow(rooms);
    this.#followed.delete(node);
  }
}
