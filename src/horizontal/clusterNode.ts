/** One of the Mafaldas that a MafaldaHorizontal is made of, with what placement has to know about it. */
import type { EnhancedEventEmitter } from 'mediasoup/extras';
import type { MafaldaApi } from '../shared/types.ts';

/** What a Transport is taken to cost until the node's reports show it; percent of the node. */
const EXPECTED_TRANSPORT_LOAD = 1;

/** A node at the end of a wire tells when it is there, and how loaded it is. A local Mafalda is always there. */
export type NodeEvents = {
  connected: [];
  disconnected: [reason: string];
  load: [load: number];
  error: [error: Error];
  close: [];
};

export class ClusterNode {
  readonly id: string;
  readonly mafalda: MafaldaApi;
  readonly url: string | undefined;
  /** Made by us from a URL, and ours to close. */
  readonly owned: boolean;
  placed = 0;
  connected: boolean;
  /** It has answered, or it can't be reached at present. */
  settled: boolean;
  #expected = 0;

  constructor(mafalda: MafaldaApi, owned: boolean) {
    const remote = mafalda as MafaldaApi & { url?: string; readyState?: number };
    this.mafalda = mafalda;
    this.owned = owned;
    this.url = remote.url;
    this.id = remote.url ?? `local-${nextLocalId++}`;
    this.connected = remote.readyState === undefined || remote.readyState === CONNECTED;
    this.settled = this.connected;
  }

  get events(): EnhancedEventEmitter<NodeEvents> {
    return this.mafalda as unknown as EnhancedEventEmitter<NodeEvents>;
  }

  /** Percent of the node: what it has reported, plus what has been placed there since. */
  get load(): number {
    // An object with the Mafalda API that is none of ours may not tell its load.
    return (this.mafalda.load ?? 0) + this.#expected * EXPECTED_TRANSPORT_LOAD;
  }

  /** To be called when something is about to be created there, before anything is awaited. */
  reserve(): void {
    ++this.placed;
    ++this.#expected;
  }

  /** A report has come: what was placed before is in it. */
  reported(): void {
    this.#expected = 0;
  }
}

/** The readyState of a RemoteMafaldaClient that can be used. */
const CONNECTED = 4;

let nextLocalId = 1;
