/** Commands of the DHT, beside those of dht-rpc. */

/** Asks for the records of a target. */
export const FIND = 16;
/** Gives a record to a peer that is close to its target. */
export const STORE = 17;
/** Tells a peer that holds a room of another one that does. */
export const NOTICE = 18;
/** Asks a peer for its servers and their load. */
export const STATUS = 19;
