/**
 * Starts Workers that signals to this process don't end. A terminal or a service manager sends SIGINT or SIGTERM to a
 * whole process group: mediasoup's Workers close then, before the application has begun to close its objects in order,
 * or to let calls end. Two measures prevent that, for mediasoup itself only; nothing is assumed of other modules with
 * its API.
 *
 * - `setsid` (Linux) starts the process in a session of its own. mediasoup has a way to start its Worker by another
 * program: the option for valgrind.
 * - mediasoup's listeners for these signals, which close the Worker, are removed from this process.
 *
 * A Worker ends with its channel, however this process ends.
 */
import { accessSync, constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { delimiter, join, sep } from 'node:path';
import { createWorker, workerBin as defaultWorkerBin } from 'mediasoup';
import type { AppData, Index, Worker, WorkerSettings } from 'mediasoup/types';
import { logger } from '../logger.ts';
import { batchingRequests } from './batchRequests.ts';
import { refuseWhileEnding, watchForSignal } from './endedBySignal.ts';

const log = logger('workers');

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const valgrind = {
  use: 'MEDIASOUP_USE_VALGRIND',
  bin: 'MEDIASOUP_VALGRIND_BIN',
  options: 'MEDIASOUP_VALGRIND_OPTIONS',
} as const;

/** Remedy for mediasoup's own Worker. npm leaves out install scripts that nobody has approved. */
const REINSTALL =
  'mediasoup’s install script gets it: allow that by `npm approve-scripts mediasoup`, run it by `npm rebuild mediasoup`; or name another Worker by MEDIASOUP_WORKER_BIN';
const RENAME = 'MEDIASOUP_WORKER_BIN, or workerBin of the settings, names it';

/** Path of `setsid`; undefined if there is none, null before the first look. */
let setsid: string | undefined | null = null;

/**
 * Starts a Worker, shielded from signals if the module is mediasoup itself.
 * @throws {TypeError} for settings that mediasoup refuses
 * @throws {NodeUnavailableError} if this process seems to be about to end
 * @throws {Error} if the Worker can't be started, with the path of the binary
 */
export async function startWorker<T extends AppData = AppData>(
  mediasoup: Pick<Index, 'createWorker'>,
  settings?: WorkerSettings<T>,
): Promise<Worker<T>> {
  refuseWhileEnding();
  const isMediasoup = mediasoup.createWorker === createWorker;
  const worker = await (isMediasoup ? startShielded(settings) : mediasoup.createWorker(settings));
  watchForSignal(worker, isMediasoup && setsid !== undefined);
  return worker;
}

async function startShielded<T extends AppData>(settings?: WorkerSettings<T>): Promise<Worker<T>> {
  let worker: Worker<T>;
  try {
    worker = await withoutListeners(() => batchingRequests(() => inOwnSession(() => createWorker(settings))));
  } catch (error) {
    throw await explain(error, settings?.workerBin ?? defaultWorkerBin);
  }
  if (setsid && !(await isSessionLeader(worker.pid))) {
    log.warn('Workers can’t be started in a session of their own: signals to the process group end them');
    setsid = undefined;
  }
  return worker;
}

/**
 * Calls a function, and removes the signal listeners that it has added.
 * @param start adds listeners before it returns, as mediasoup does
 */
function withoutListeners<T>(start: () => T): T {
  const before = SIGNALS.map(signal => process.listeners(signal));
  const started = start();
  for (const [index, signal] of SIGNALS.entries()) {
    for (const listener of process.listeners(signal))
      if (!before[index]!.includes(listener)) process.off(signal, listener);
  }
  return started;
}

/**
 * Calls a function with an environment in which mediasoup starts the process by `setsid`.
 * @param start reads the environment, and starts the process, before it returns, as mediasoup does
 */
function inOwnSession<T>(start: () => T): T {
  const { set, previous } = shieldingEnvironment();
  try {
    Object.assign(process.env, set);
    return start();
  } finally {
    restore(previous);
  }
}

interface Environment {
  set: Record<string, string>;
  previous: Record<string, string | undefined>;
}

/**
 * Returns the environment that makes mediasoup start its Worker by `setsid`, which in turn starts valgrind if that is
 * in use.
 */
function shieldingEnvironment(): Environment {
  if (setsid === null) setsid = findSetsid();
  const { env } = process;
  const isUsed = env[valgrind.use] === 'true';
  const program = isUsed ? (env[valgrind.bin] ?? 'valgrind') : '';
  // mediasoup splits the options at white space.
  if (!setsid || /\s/.test(program)) return { set: {}, previous: {} };
  const options = isUsed ? [program, env[valgrind.options] ?? ''].join(' ').trim() : '';
  const names = Object.values(valgrind);
  return {
    set: { [valgrind.use]: 'true', [valgrind.bin]: setsid, [valgrind.options]: options },
    previous: Object.fromEntries(names.map(name => [name, env[name]])),
  };
}

function restore(previous: Environment['previous']): void {
  for (const [name, value] of Object.entries(previous)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

function findSetsid(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map(folder => join(folder, 'setsid'))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns whether the system names the process as the leader of its session. A process that has ended already proves
 * nothing, and counts as a leader.
 */
async function isSessionLeader(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name of the process, in brackets, may contain any character; the fourth field behind it is the session.
  return stat === undefined || stat.split(') ').at(-1)!.split(' ')[3] === String(pid);
}

/**
 * Returns an error with the reason and a remedy: of a process that could not be started, mediasoup reports only that it
 * has ended. The host is named since the error reaches clients on other machines.
 */
async function explain(error: unknown, bin: string): Promise<unknown> {
  if (!(error instanceof Error) || error instanceof TypeError) return error;
  const reason = bin.includes(sep) ? await reasonOf(bin) : '';
  const remedy = bin === defaultWorkerBin ? REINSTALL : RENAME;
  return new Error(
    `the mediasoup Worker ${bin} can't be started on ${hostname()}${reason}: ${error.message}. ${remedy}`,
    { cause: error },
  );
}

async function reasonOf(bin: string): Promise<string> {
  try {
    await access(bin, constants.X_OK);
    return '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? ', it may not be executed' : ', there is no such file';
  }
}
