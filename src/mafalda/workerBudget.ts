/** How many Workers all processes of this machine have together: kept in a file that they share. */
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, readFile, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import lockfile from 'proper-lockfile';
import { WorkerBudgetError } from '../shared/errors.ts';
import { logger } from '../shared/logger.ts';

const log = logger('budget');

export interface WorkerBudgetOptions {
  /** How many Workers all processes that share the file may have together; default: the number of cores. */
  max?: number;
  /** Default: one per machine, in the folder of the system for temporary files. */
  file?: string;
}

/** Someone who is killed while holding the lock leaves it behind; it counts as abandoned after this time. */
const STALE_LOCK_MS = 5000;
/** Tries for about as long as an abandoned lock lasts, and a bit. */
const LOCK_RETRIES = { retries: 80, minTimeout: 10, maxTimeout: 100, factor: 1.5 };

/** Workers by process, as it stands in the file. */
type Shares = Record<string, number>;

export class WorkerBudget {
  readonly max: number;
  readonly #file: string;

  constructor({ max = availableParallelism(), file = join(tmpdir(), 'mafalda-workers.json') }: WorkerBudgetOptions = {}) {
    if (!Number.isInteger(max) || max < 1) throw new TypeError('if given, workerBudget.max must be an integer, 1 or more');
    if (typeof file !== 'string' || file === '') throw new TypeError('if given, workerBudget.file must be the path of a file');
    this.max = max;
    this.#file = file;
  }

  /** Takes one Worker from the budget. @throws {WorkerBudgetError} if none is left */
  async take(): Promise<void> {
    await this.#change((held, others) => {
      if (held + others >= this.max) {
        throw new WorkerBudgetError(
          `all ${this.max} Workers that this machine may have are in use (see ${this.#file}); option workerBudget raises the limit`,
        );
      }
      return held + 1;
    });
  }

  async giveBack(): Promise<void> {
    await this.#change(held => held - 1);
  }

  /**
   * Reads the shares, drops those of processes that are gone, and writes what the change makes of ours. Ours is known here
   * better than in the file, which mends one that was damaged.
   */
  async #change(change: (held: number, others: number) => number): Promise<void> {
    // It must exist before it can be locked, and be writable for other users' processes on this machine.
    await (await open(this.#file, 'a', 0o666)).close();
    const release = await lockfile.lock(this.#file, { stale: STALE_LOCK_MS, retries: LOCK_RETRIES });
    try {
      const own = processKey(process.pid);
      const shares = parseShares(await readFile(this.#file, 'utf8'));
      const others = Object.entries(shares).filter(([key]) => key !== own && isAlive(key));
      const ours = change(heldHere.get(this.#file) ?? 0, others.reduce((sum, [, share]) => sum + share, 0));
      if (ours > 0) heldHere.set(this.#file, ours);
      else heldHere.delete(this.#file);
      await writeFile(this.#file, JSON.stringify(Object.fromEntries(ours > 0 ? [...others, [own, ours]] : others)));
    } finally {
      await release();
    }
  }
}

/** What all Mafaldas of this process hold, by file. */
const heldHere = new Map<string, number>();

/** Whatever is no list of shares counts as an empty one: whoever holds Workers enters his own with his next change. */
function parseShares(content: string): Shares {
  if (content === '') return {};
  try {
    const parsed: unknown = JSON.parse(content);
    if (typeof parsed === 'object' && parsed !== null) {
      return Object.fromEntries(Object.entries(parsed).filter((entry): entry is [string, number] => Number.isInteger(entry[1]) && entry[1] > 0));
    }
  } catch (error) {
    log('the file of shares is damaged, and begun anew: %o', error);
  }
  return {};
}

/** A pid alone does not do: after the process has died, another one may get it. */
function processKey(pid: number): string {
  return `${pid}@${startTimeOf(pid)}`;
}

function isAlive(key: string): boolean {
  const pid = Number(key.split('@')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It exists, but isn't ours to signal.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return key === processKey(pid);
}

/** In clock ticks since boot, on Linux; elsewhere the pid has to do. */
function startTimeOf(pid: number): string {
  try {
    // The name of the process, in brackets, may contain anything; 20 fields behind it stands the time of its start.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19]!;
  } catch {
    return '';
  }
}
