/** Budget of Workers that all processes of this machine share, kept in a file. */
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { chmod, mkdir, open, type FileHandle } from 'node:fs/promises';
import { constants, readFileSync } from 'node:fs';
import lockfile from 'proper-lockfile';
import * as v from 'valibot';
import { availableCores } from '../api/resources.ts';
import { WorkerBudgetError } from '../api/errors.ts';
import { optionsOf } from '../api/optionsSchema.ts';
import { positiveInteger, text } from '../api/optionTypes.ts';
import { logger } from '../core/logger.ts';

const log = logger('budget');

/** Options of the Workers that all processes of a machine may have together. */
export interface WorkerBudgetOptions {
  /**
   * Maximum number of Workers of all processes that share the file.
   * @default the number of cores
   */
  max?: number | undefined;
  /**
   * Path of the shared file. Whichever user's process makes it, processes of other users can use it.
   * @default a single file for the machine, in a folder of its own in the system's folder for temporary files
   */
  file?: string | undefined;
}

const FOLDER = join(tmpdir(), 'mafalda-workers');

export const workerBudgetOptions = optionsOf<WorkerBudgetOptions>()({
  max: v.optional(positiveInteger, availableCores()),
  file: v.optional(text, join(FOLDER, 'shares.json')),
});

/**
 * Modes of the file and its folder, for all users of the machine. The folder has no sticky bit, so that any user can
 * remove the lock of a killed process of another user.
 */
const FILE_MODE = 0o666;
const FOLDER_MODE = 0o777;

/**
 * Age after which a lock counts as abandoned, in ms: a process that is killed while holding the lock leaves it behind.
 */
const STALE_LOCK_MS = 5000;
/** Retries for slightly longer than an abandoned lock lasts. */
const LOCK_RETRIES = { retries: 80, minTimeout: 10, maxTimeout: 100, factor: 1.5 };

/** Number of Workers by process, as in the file. */
type Shares = Record<string, number>;

export class WorkerBudget {
  readonly max: number;
  readonly #file: string;

  constructor({ max, file }: Required<WorkerBudgetOptions>) {
    this.max = max;
    this.#file = file;
  }

  /**
   * Takes a Worker from the budget.
   * @throws {WorkerBudgetError} if none is left
   */
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
   * Reads the shares, drops the shares of processes that are gone, and writes the changed share of this process. Its
   * own share is kept in memory, so that a damaged file is repaired.
   */
  async #change(change: (held: number, others: number) => number): Promise<void> {
    // The file must exist before it can be locked.
    const handle = await openShared(this.#file);
    try {
      const release = await lockfile.lock(this.#file, { stale: STALE_LOCK_MS, retries: LOCK_RETRIES, realpath: false });
      try {
        await this.#changeShares(handle, change);
      } finally {
        await release();
      }
    } finally {
      await handle.close();
    }
  }

  async #changeShares(handle: FileHandle, change: (held: number, others: number) => number): Promise<void> {
    const own = processKey(process.pid);
    const shares = parseShares(await handle.readFile('utf8'));
    const others = Object.entries(shares).filter(([key]) => key !== own && isAlive(key));
    const ownShare = change(
      heldHere.get(this.#file) ?? 0,
      others.reduce((sum, [, share]) => sum + share, 0),
    );
    if (ownShare > 0) heldHere.set(this.#file, ownShare);
    else heldHere.delete(this.#file);
    const content = JSON.stringify(Object.fromEntries(ownShare > 0 ? [...others, [own, ownShare]] : others));
    await handle.truncate();
    await handle.write(content, 0);
  }
}

/**
 * Opens the file, never through a link: in a folder that all users may write to, another user may have put one there.
 */
async function openShared(file: string): Promise<FileHandle> {
  const folder = dirname(file);
  if (folder === FOLDER && (await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, FOLDER_MODE);
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, FILE_MODE);
  const { mode, uid } = await handle.stat();
  // The umask of its maker limits the mode with which a file is made.
  if ((mode & FILE_MODE) !== FILE_MODE && uid === process.getuid?.()) await handle.chmod(FILE_MODE);
  return handle;
}

/** Number of Workers that all Mafaldas of this process hold, by file. */
const heldHere = new Map<string, number>();

/**
 * Returns the shares in the file. A damaged file counts as empty: each process with Workers enters its share again with
 * its next change.
 */
function parseShares(content: string): Shares {
  if (content === '') return {};
  try {
    const parsed: unknown = JSON.parse(content);
    if (typeof parsed === 'object' && parsed !== null) {
      return Object.fromEntries(
        Object.entries(parsed).filter((entry): entry is [string, number] => Number.isInteger(entry[1]) && entry[1] > 0),
      );
    }
  } catch (error) {
    log.warn('the file of shares is damaged, and begun anew: %o', error);
  }
  return {};
}

/** Returns a key of the process. A pid alone is not enough: another process may get it later. */
function processKey(pid: number): string {
  return `${pid}@${startTimeOf(pid)}`;
}

function isAlive(key: string): boolean {
  const pid = Number(key.split('@')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // The process exists, but this user may not signal it.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return key === processKey(pid);
}

/**
 * Returns the start time of a process, in clock ticks since boot, on Linux; an empty text elsewhere, where the pid has
 * to be enough.
 */
function startTimeOf(pid: number): string {
  try {
    // The name of the process, in brackets, may contain any character; the 20th field behind it is the start time.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19]!;
  } catch {
    return '';
  }
}
