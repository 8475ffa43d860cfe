/** How the layers of this package find the MafaldaRouters of a Mafalda, whichever implementation it is. */
import type { MafaldaApi, MafaldaRouterOptions } from '../api/types.ts';
import { OwnRooms, type HeldRooms } from '../core/heldRooms.ts';
import type { PipeableMafaldaRouter } from './pipeableMafaldaRouter.ts';

/** Options of a MafaldaRouter that is looked for. */
export type SoughtRoom = MafaldaRouterOptions & { id: string };

/** Result of a search for a MafaldaRouter. */
export interface FoundRoom<R = PipeableMafaldaRouter> {
  /** The MafaldaRouter with its present objects; undefined if there is none. */
  readonly mafaldaRouter: R | undefined;
  /** False if some of its objects, or it itself, may be missing: a node could not be asked, or has not answered in time. */
  readonly isComplete: boolean;
}

export type OnSeen = (mafaldaRouter: PipeableMafaldaRouter) => void;

/** Members for this that the Mafaldas of this package have beside the API. */
export interface RoomFinder {
  /** @internal */
  readonly heldRooms: HeldRooms;
  /**
   * Attaches to a MafaldaRouter if it exists here, without creating anything.
   * @param ask whether nodes are asked too: else only what is known of them counts
   * @param onSeen called when it is seen, before its first object: the answer comes after its last one, and they may be
   * many. A MafaldaRouter that was here before is not told of.
   * @throws {TypeError} if it exists with different `routerOptions`
   * @internal
   */
  findMafaldaRouter(options: SoughtRoom, ask: boolean, onSeen: OnSeen): Promise<FoundRoom>;
  /**
   * Makes a MafaldaRouter, or returns the existing one, without counting as an application that uses it.
   * @internal
   */
  obtain(options?: MafaldaRouterOptions): PipeableMafaldaRouter;
}

/** Returns the MafaldaRouters that a Mafalda holds. To be called once, since a foreign Mafalda is followed anew. */
export function heldRoomsOf(mafalda: MafaldaApi): HeldRooms {
  return isRoomFinder(mafalda) ? mafalda.heldRooms : new OwnRooms(mafalda);
}

/** Finds a MafaldaRouter as {@link RoomFinder}, also of a foreign implementation of the Mafalda API. */
export async function findMafaldaRouter(
  mafalda: MafaldaApi,
  options: SoughtRoom,
  ask: boolean,
  onSeen: OnSeen = () => undefined,
): Promise<FoundRoom> {
  if (isRoomFinder(mafalda)) return mafalda.findMafaldaRouter(options, ask, onSeen);
  const exists = mafalda.mafaldaRouters.has(options.id);
  const mafaldaRouter = exists ? (mafalda.createMafaldaRouter(options) as PipeableMafaldaRouter) : undefined;
  return { mafaldaRouter, isComplete: true };
}

/** Makes a MafaldaRouter for clients of a server, or returns the existing one. */
export function obtainMafaldaRouter(mafalda: MafaldaApi, options: MafaldaRouterOptions): PipeableMafaldaRouter {
  if (isRoomFinder(mafalda)) return mafalda.obtain(options);
  return mafalda.createMafaldaRouter(options) as PipeableMafaldaRouter;
}

function isRoomFinder(mafalda: MafaldaApi | RoomFinder): mafalda is MafaldaApi & RoomFinder {
  return 'findMafaldaRouter' in mafalda;
}
