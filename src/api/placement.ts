/** Where something is to be created: what an application may say of it. */
import { refuseUnknown } from './options.ts';
import type { MafaldaApi } from './types.ts';

export interface Placement {
  /** A node's id, its URL or the node itself. Binding: the call fails if that one is not connected, or is being drained. */
  node?: string | MafaldaApi;
  /** Rather a node of this region. A wish: nodes below the watermark elsewhere are used when there are none. */
  region?: string;
  /**
   * Rather a node that has most of these already, by their ids. Producers and DataProducers: to consume them there takes no pipe. Transports and
   * Consumers, of the same person mostly: what belongs together stays together. A wish, after `region`.
   */
  near?: readonly string[];
}

/** @throws {TypeError} for a member that is unknown or of another type */
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
