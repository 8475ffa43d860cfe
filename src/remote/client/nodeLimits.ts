/** Limits of what a server may cost a client, so that it can't bring the client down by mistake or malice. */
import * as v from 'valibot';
import { optionsOf } from '../../api/optionsSchema.ts';
import { positiveInteger } from '../../api/optionTypes.ts';

/** Limits of what a client takes from its server; beyond those of data the session ends. */
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
  /**
   * Calls that the server has not answered, also those whose `callTimeout` is over, since their answers may still come;
   * more are refused with a `LimitError`.
   * @default 10000
   */
  pendingCalls: number;
}

export const nodeLimits = optionsOf<Partial<NodeLimits>>()({
  objects: v.optional(positiveInteger, 200_000),
  objectBytes: v.optional(positiveInteger, 512_000_000),
  mafaldaRouters: v.optional(positiveInteger, 200_000),
  packetBytes: v.optional(positiveInteger, 64_000_000),
  pendingCalls: v.optional(positiveInteger, 10_000),
});
