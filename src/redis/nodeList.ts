/**
 * The nodes that are in Redis, as a controller knows them. A node whose record is missing goes, unless so many records
 * are missing that it must be Redis that has lost them: then all stay, until they are back or have had time for it.
 */
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { NodeRecord } from '../horizontal/directory/directory.ts';
import { checkedRecord, isNodeUrl } from '../horizontal/directory/nodeRecord.ts';
import { logger } from '../core/logger.ts';
import { ReadOnlyMap } from '../core/readOnlyMap.ts';
import type { Outage } from './outage.ts';
import { toError, type RedisConnection } from './redisConnection.ts';
import { MAX_RECORD_BYTES } from './redisRegistration.ts';
import { READ_NODES, type Keys } from './scripts.ts';
import { varied, type Timing } from './timing.ts';

const log = logger('redis');

/** Largest number of nodes. */
const MAX_NODES = 10_000;

export interface NodeListOptions {
  connection: RedisConnection;
  keys: Keys;
  timing: Timing;
  outage: Pick<Outage, 'begin' | 'end'>;
}

export class NodeList extends EnhancedEventEmitter<{ node: [record: NodeRecord]; nodegone: [url: string] }> {
  readonly #options: NodeListOptions;
  readonly #records = new Map<string, NodeRecord>();
  readonly nodes: ReadonlyMap<string, NodeRecord> = new ReadOnlyMap(this.#records);
  /** Times at which records were first found missing, by URL. */
  readonly #missingSince = new Map<string, number>();
  /** Nodes that were told of while the list was being read, which may be older than that. */
  #told: Set<string> | undefined;
  /** Time until which Redis may lack nodes that are well. */
  #lenientUntil = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: NodeListOptions) {
    super();
    this.#options = options;
  }

  /**
   * Follows the nodes. Must be called whenever the connection is up, since another connection has heard nothing yet.
   * @throws {Error} if Redis does not answer
   */
  async follow(): Promise<void> {
    const { connection, keys, timing } = this.#options;
    this.#lenientUntil = performance.now() + timing.settle;
    await connection.subscribe([keys.nodes]);
    await this.read();
  }

  /** Stops reading. Must be called when the connection is down. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  /** Notes a message of the nodes' channel. */
  onMessage(message: string): void {
    const content = message.slice(1);
    if (message.startsWith('+')) {
      const record = parse(content);
      if (record) this.#set(record);
    } else if (message.startsWith('-') && isNodeUrl(content)) {
      this.#told?.add(content);
      this.#delete(content);
    }
  }

  /**
   * Reads the list, now and at its interval.
   * @throws {Error} if Redis does not answer
   */
  async read(): Promise<void> {
    const { connection, keys, timing } = this.#options;
    const told = (this.#told = new Set<string>());
    try {
      const answer = await connection.read(READ_NODES, keys.nodes, [MAX_NODES, MAX_RECORD_BYTES + 100]);
      this.#onList(Array.isArray(answer) ? answer.slice(0, MAX_NODES) : [], told);
    } catch (error) {
      connection.fail(toError(error));
      throw error;
    } finally {
      if (this.#told === told) this.#told = undefined;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.read().catch(error => log.warn('the nodes can’t be read: %o', error));
    }, varied(timing.list)).unref();
  }

  #onList(answer: readonly unknown[], told: ReadonlySet<string>): void {
    const present = new Set<string>();
    for (const json of answer) {
      const record = typeof json === 'string' ? parse(json) : undefined;
      if (!record) continue;
      present.add(record.url);
      if (!told.has(record.url)) this.#set(record);
    }
    this.#judgeMissing(new Set([...this.#records.keys()].filter(url => !present.has(url) && !told.has(url))));
  }

  #judgeMissing(missing: ReadonlySet<string>): void {
    const { timing, outage } = this.#options;
    const now = performance.now();
    const isIll = missing.size > this.#records.size / 2;
    if (isIll) {
      if (this.#missingSince.size < missing.size) this.#lenientUntil = now + timing.settle;
      outage.begin(
        'records',
        new Error(`${missing.size} of ${this.#records.size} nodes are no longer in Redis: they are used as before`),
      );
    }
    for (const url of missing) {
      const since = this.#missingSince.get(url) ?? now;
      this.#missingSince.set(url, since);
      if (now >= this.#lenientUntil || now - since >= timing.settle) this.#delete(url);
    }
    for (const url of this.#missingSince.keys()) if (!missing.has(url)) this.#missingSince.delete(url);
    if (!isIll || this.#missingSince.size === 0) outage.end('records');
  }

  #set(record: NodeRecord): void {
    const { url } = record;
    this.#told?.add(url);
    if (!this.#records.has(url) && this.#records.size >= MAX_NODES) return;
    const old = this.#records.get(url);
    this.#records.set(url, record);
    this.#missingSince.delete(url);
    if (JSON.stringify(old) !== JSON.stringify(record)) this.safeEmit('node', record);
  }

  #delete(url: string): void {
    this.#missingSince.delete(url);
    if (this.#records.delete(url)) this.safeEmit('nodegone', url);
  }
}

function parse(json: string): NodeRecord | undefined {
  if (json.length > MAX_RECORD_BYTES) return undefined;
  try {
    return checkedRecord(JSON.parse(json));
  } catch {
    log('a record in Redis is no JSON');
    return undefined;
  }
}
