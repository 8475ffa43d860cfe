/** Placement: an application's wishes and orders for the node on which an object is created. */
import * as v from 'valibot';
import { expecting, optionsOf, resolveOptions } from './optionsSchema.ts';
import { anyText, listOf } from './optionTypes.ts';
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

export const placementOptions = optionsOf<Placement>()({
  node: v.optional(
    expecting(
      'the id, the URL or the object of a node',
      v.custom<string | MafaldaApi>(node => typeof node === 'string' || typeof node === 'object'),
    ),
  ),
  region: v.optional(anyText),
  near: v.optional(listOf('ids of Producers, DataProducers, Transports and Consumers', anyText)),
});

/**
 * Checks a placement.
 * @throws {TypeError} for a member that is unknown or of another type
 */
export function checkPlacement(placement: Placement): void {
  resolveOptions('placement', placementOptions, placement);
}
