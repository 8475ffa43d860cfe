/**
 * Node that is known by its record in a directory, and connected to only when it is used: a controller of a thousand
 * nodes has connections to those that have its rooms.
 */
import { NodeUnavailableError } from '../api/errors.ts';
import { ReadyState, type RemoteMafaldaClient } from '../remote/client/index.ts';
import { ClusterNode } from './clusterNode.ts';
import type { NodeRecord } from './directory/directory.ts';

/** Limit for connecting, in ms: another node is used instead of a slower one. */
const CONNECT_TIMEOUT_MS = 3000;

export class RecordedNode extends ClusterNode {
  readonly #client: RemoteMafaldaClient;
  #record: NodeRecord;
  /** Whether the record is in the directory, as far as is known. */
  isRecorded = true;
  #opening: Promise<void> | undefined;
  /** Time since which nothing of this controller's is there; undefined while something is. */
  #idleSince: number | undefined;

  /**
   * @param client of the node's URL, which is not open
   * @param now returns milliseconds, from any moment on
   */
  constructor(client: RemoteMafaldaClient, record: NodeRecord, now: () => number) {
    super(client, true, now);
    this.#client = client;
    this.#record = record;
    // Nothing waits for a node that is not connected to.
    this.settled = true;
  }

  get record(): NodeRecord {
    return this.#record;
  }

  set record(record: NodeRecord) {
    this.#record = record;
    this.isRecorded = true;
  }

  /** Whether the client is connected, or tries to. */
  get isOpen(): boolean {
    return this.#client.readyState !== ReadyState.CLOSED;
  }

  /** Whether nothing of this controller's is there. */
  get isUnused(): boolean {
    return this.underway === 0 && this.#client.mafaldaRouters.size === 0 && this.#client.workers.size === 0;
  }

  override get isUsable(): boolean {
    return this.connected || !this.isOpen || this.#opening !== undefined;
  }

  override get takesNew(): boolean {
    return super.takesNew && !this.#record.draining;
  }

  override get region(): string | undefined {
    return this.#record.region;
  }

  override get labels(): Readonly<Record<string, string>> | undefined {
    return this.#record.labels;
  }

  override async open(): Promise<void> {
    this.#idleSince = undefined;
    if (this.connected) return;
    this.#opening ??= this.#open()
      // Other nodes are asked until it may have come back.
      .catch((error: Error) => {
        this.rest.begin()(false);
        throw error;
      })
      .finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  /**
   * Ends the connection if nothing of this controller's has been on the node for the given time.
   * @returns whether the node is not connected to
   */
  closeIfIdle(idleMs: number, now: number): boolean {
    if (!this.isOpen) return true;
    if (!this.isUnused || this.#opening) this.#idleSince = undefined;
    else this.#idleSince ??= now;
    if (this.#idleSince === undefined || now - this.#idleSince < idleMs) return false;
    this.#client.disconnect();
    return true;
  }

  protected override get measuredLoad(): number {
    return this.connected ? super.measuredLoad : this.#record.load;
  }

  async #open(): Promise<void> {
    if (!this.isOpen) this.#client.open();
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        this.events.off('connected', onConnected).off('connecterror', onFailure).off('close', onFailure);
        if (error) reject(error);
        else resolve();
      };
      const onConnected = (): void => finish();
      const onFailure = (): void => {
        const { id, trouble } = this;
        const message = `${id} can’t be connected to: ${trouble.message}`;
        finish(new NodeUnavailableError(message, { node: id, cause: trouble, causes: { [id]: trouble } }));
      };
      const timer = setTimeout(onFailure, CONNECT_TIMEOUT_MS);
      this.events.on('connected', onConnected).on('connecterror', onFailure).on('close', onFailure);
    });
  }
}
