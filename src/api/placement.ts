/** Placement: an application's wishes and orders for the node on which an object is created. */
import { refuseUnknown } from './options.ts';
import type { MafaldaApi } from './types.ts';

/**
 * Node on which an object is to be created: an order (`node`) or wishes (`region`, `near`) of the call. A
 * `MafaldaHorizontal` follows them; other Mafaldas have no choice, and ignore them.
 */
export interface Placement {
  /**
   * The node's id, its URL, or the node itself. Binding: the call fails with a `NodeUnavailableError`,
   * `NodeDrainingError` or `NodeFullError` if the node is not connected, is being drained, or is full.
   * @default the strategy's choice
   */
  node?: string | MafaldaApi | undefined;
  /**
   * Region of the node. A wish: nodes below the watermark elsewhere are used when the region has none.
   * @default any region
   */
  region?: string | undefined;
  /**
   * Ids of objects of which the node should have most already. Consuming a Producer or DataProducer there takes no
   * pipe; Transports and Consumers are mostly of the person whose next Transport this is. A wish, after `region`.
   * @default none
   */
  near?: readonly string[] | undefined;
}

/**
 * Checks a placement.
 * @throws {TypeError} for a member that is unknown or of another type
 */
export function checkPlacement(placement: Placement): void {
  refuseUnknown('placement', placement, { node: true, region: true, near: true });
  const { region, near } = placement;
  if (region !== undefined && typeof region !== 'string')
    throw new TypeError('if given, placement.region must be a string');
  if (near !== undefined && !(Array.isArray(near) && near.every(id => typeof id === 'string'))) {
    throw new TypeError(
      'if given, placement.near must be an array of the ids of Producers, DataProducers, Transports and Consumers',
    );
  }
}
