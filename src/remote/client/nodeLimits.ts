/** Limits of the data that a server may send, so that it can't bring a client down by mistake or malice. */
import * as v from 'valibot';
import { optionsOf } from '../../api/optionsSchema.ts';
import { positiveInteger } from '../../api/optionTypes.ts';

/** Limits of the data that a client takes from its server; beyond them the session ends. */
export interface NodeLimits {
  /**
   * Objects that the server announces.
   * @default 200000
   */
  objects: number;
  /**
   * Bytes that these take, with their `appData`.
   * @default 512000000
   */
  objectBytes: number;
  /**
   * MafaldaRouters that the server tells a cluster of; their ids may take as many bytes as the objects.
   * @default 200000
   */
  mafaldaRouters: number;
  /**
   * Bytes in one packet.
   * @default 64000000
   */
  packetBytes: number;
}

export const nodeLimits = optionsOf<Partial<NodeLimits>>()({
  objects: v.optional(positiveInteger, 200_000),
  objectBytes: v.optional(positiveInteger, 512_000_000),
  mafaldaRouters: v.optional(positiveInteger, 200_000),
  packetBytes: v.optional(positiveInteger, 64_000_000),
});
