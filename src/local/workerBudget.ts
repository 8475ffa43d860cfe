/** How many Workers all processes of this machine have together: kept in a file that they share. */
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { chmod, mkdir, open, type FileHandle } from 'node:fs/promises';
import { constants, readFileSync } from 'node:fs';
import lockfile from 'proper-lockfile';
import { WorkerBudgetError } from '../api/errors.ts';
import { logger } from '../core/logger.ts';

const log = logger('budget');

export interface WorkerBudgetOptions {
  /** How many Workers all processes that share the file may have together; default: the number of cores. */
  max?: number;
  /** Default: one per machine, in a folder of its own in that of the system for temporary files. Whatever user makes it, others can use it. */
  file?: string;
}

const FOLDER = join(tmpdir(), 'mafalda-workers');

/** For all users of the machine. The folder has no sticky bit: the lock of a process that was killed is another user's to remove. */
const FILE_MODE = 0o666;
const FOLDER_MODE = 0o777;

/** Someone who is killed while holding the lock leaves it behind; it counts as abandoned after this time. */
const STALE_LOCK_MS = 5000;
/** Tries for about as long as an abandoned lock lasts, and a bit. */
const LOCK_RETRIES = { retries: 80, minTimeout: 10, maxTimeout: 100, factor: 1.5 };

/** Workers by process, as it stands in the file. */
type Shares = Record<string, number>;

export class WorkerBudget {
  readonly max: number;
  readonly #file: string;

  constructor({ max = availableParallelism(), file = join(FOLDER, 'shares.json') }: WorkerBudgetOptions = {}) {
    if (!Number.isInteger(max) || max < 1)
      throw new TypeError('if given, workerBudget.max must be an integer, 1 or more');
    if (typeof file !== 'string' || file === '')
      throw new TypeError('if given, workerBudget.file must be the path of a file');
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
    // It must exist before it can be locked.
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
    const ours = change(
      heldHere.get(this.#file) ?? 0,
      others.reduce((sum, [, share]) => sum + share, 0),
    );
    if (ours > 0) heldHere.set(this.#file, ours);
    else heldHere.delete(this.#file);
    const content = JSON.stringify(Object.fromEntries(ours > 0 ? [...others, [own, ours]] : others));
    await handle.truncate();
    await handle.write(content, 0);
  }
}

/** Never through a link: in a folder that all may write to, another user may have put one there. */
async function openShared(file: string): Promise<FileHandle> {
  const folder = dirname(file);
  if (folder === FOLDER && (await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, FOLDER_MODE);
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, FILE_MODE);
  const { mode, uid } = await handle.stat();
  // The mode that a file is made with is limited by the umask of its maker.
  if ((mode & FILE_MODE) !== FILE_MODE && uid === process.getuid?.()) await handle.chmod(FILE_MODE);
  return handle;
}

/** What all Mafaldas of this process hold, by file. */
const heldHere = new Map<string, number>();

/** Whatever is no list of shares counts as an empty one: whoever holds Workers enters his own with his next change. */
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
