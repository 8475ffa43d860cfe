/** Calls of a provisioner, bounded in time, whose answers are checked. */
import { ProvisionError } from '../api/errors.ts';
import { logger } from '../core/logger.ts';
import {
  checkList,
  checkProvisioned,
  type ListedServer,
  type ProvisionedServer,
  type Provisioner,
} from './provisioner.ts';

const log = logger('autoscale');

const STOP_TIMEOUT_MS = 120_000;
const LIST_TIMEOUT_MS = 30_000;

type Operation = 'start' | 'stop' | 'list';

export class Provisioning {
  readonly #provisioner: Provisioner;
  readonly #startTimeout: number;
  /** Calls that have no answer yet. */
  readonly #underway = new Set<Promise<unknown>>();
  readonly #aborter = new AbortController();

  constructor(provisioner: Provisioner, startTimeout: number) {
    this.#provisioner = provisioner;
    this.#startTimeout = startTimeout;
  }

  /**
   * Orders a server. One that comes too late is stopped.
   * @throws {ProvisionError}
   */
  async start(request: { region?: string; fence?: number }): Promise<ProvisionedServer> {
    const aborter = new AbortController();
    const signal = AbortSignal.any([aborter.signal, this.#aborter.signal]);
    const starting = this.#call('start', async () =>
      checkProvisioned(await this.#provisioner.start({ ...request, signal })),
    );
    try {
      return await this.#within(starting, this.#startTimeout, 'start');
    } catch (error) {
      aborter.abort(error);
      starting.then(
        ({ id }) => this.stop(id).catch(reason => log('%s has come too late, and can’t be stopped: %o', id, reason)),
        () => undefined,
      );
      throw error;
    }
  }

  /** @throws {ProvisionError} */
  async stop(id: string): Promise<void> {
    const stopping = this.#call('stop', () => this.#provisioner.stop(id), id);
    await this.#within(stopping, STOP_TIMEOUT_MS, 'stop', id);
  }

  /** @throws {ProvisionError} */
  async list(): Promise<ListedServer[]> {
    const listing = this.#call('list', async () => checkList(await this.#provisioner.list()));
    return this.#within(listing, LIST_TIMEOUT_MS, 'list');
  }

  /** Gives up what is being started, and resolves when all calls have been answered. */
  async close(): Promise<void> {
    this.#aborter.abort(new Error('the autoscaler was stopped'));
    while (this.#underway.size > 0) await Promise.allSettled(this.#underway);
  }

  #call<T>(operation: Operation, call: () => Promise<T>, id?: string): Promise<T> {
    const answer = (async () => call())().catch((thrown: unknown) => {
      const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
      throw new ProvisionError(`${nameOf(operation, id)} has failed: ${cause.message}`, { operation, id, cause });
    });
    return answer;
  }

  async #within<T>(answer: Promise<T>, timeoutMs: number, operation: Operation, id?: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new ProvisionError(`${nameOf(operation, id)} has taken longer than ${timeoutMs} ms`, { operation, id }));
      }, timeoutMs);
    });
    const bounded = Promise.race([answer, late]).finally(() => clearTimeout(timer));
    this.#underway.add(bounded);
    void bounded.then(
      () => this.#underway.delete(bounded),
      () => this.#underway.delete(bounded),
    );
    return bounded;
  }
}

function nameOf(operation: Operation, id: string | undefined): string {
  return `${operation}() of the provisioner${id === undefined ? '' : ` for the server "${id}"`}`;
}
