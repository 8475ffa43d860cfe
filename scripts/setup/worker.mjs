/** mediasoup's worker: a binary that really runs here, found, downloaded or built. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { say, SetupError } from './console.mjs';
import { installProgram, isExecutable, readJson, root, withTemporaryFolder } from './files.mjs';
import { buildWorker } from './workerBuild.mjs';
import { downloadWorker } from './workerDownload.mjs';

// The worker's answer when it is started without MEDIASOUP_VERSION, which only mediasoup sets.
const EXIT_CODE_OF_A_WORKER = 41;

const program = process.platform === 'win32' ? 'mediasoup-worker.exe' : 'mediasoup-worker';
const packageFolder = join(root, 'node_modules', 'mediasoup');
/** Where mediasoup looks for its worker. */
const defaultPlace = join(packageFolder, 'worker', 'out', 'Release', program);

/** @param {string} version */
function cachePlace(version) {
  const given = process.env.XDG_CACHE_HOME;
  const caches = given && isAbsolute(given) ? given : join(homedir(), '.cache');
  return join(caches, 'mafalda-horizontal', `mediasoup-${version}-${process.platform}-${process.arch}`, program);
}

/**
 * Starts it, because a binary made for another system or other libraries is found out only then.
 * @param {string} path
 * @returns {string | undefined} why it can't be used
 */
function findProblem(path) {
  if (!existsSync(path)) return 'does not exist';
  if (!isExecutable(path)) return 'is not an executable file';
  const env = { ...process.env };
  delete env.MEDIASOUP_VERSION;
  const { error, status, signal, stderr } = spawnSync(path, [], { env, encoding: 'utf8', timeout: 10_000 });
  if (status === EXIT_CODE_OF_A_WORKER) return undefined;
  const reason =
    error?.message || stderr.trim().split('\n').at(-1) || (signal ? `ended by ${signal}` : `exit code ${status}`);
  return `does not run here as a mediasoup worker: ${reason}`;
}

/**
 * @param {string} path
 * @returns {boolean}
 */
function isUsable(path) {
  if (!existsSync(path)) return false;
  const problem = findProblem(path);
  if (problem) say(`passing over ${path}, which ${problem}`);
  return !problem;
}

/**
 * @param {string} made
 * @param {string} cached
 */
function keep(made, cached) {
  const problem = findProblem(made);
  if (problem) throw new SetupError(`the worker ${problem}`);
  installProgram(made, defaultPlace);
  try {
    installProgram(made, cached);
  } catch (error) {
    say(`the worker is not kept for other checkouts: ${error.message}`);
  }
}

export async function ensureWorker() {
  const given = process.env.MEDIASOUP_WORKER_BIN;
  if (given) {
    const problem = findProblem(given);
    if (problem)
      throw new SetupError(
        `MEDIASOUP_WORKER_BIN is ${given}, which ${problem}: correct it, or unset it to let set-up get a worker`,
      );
    return;
  }

  if (isUsable(defaultPlace)) return;

  const { version } = readJson(join(packageFolder, 'package.json'));
  const cached = cachePlace(version);
  if (isUsable(cached)) {
    installProgram(cached, defaultPlace);
    say(`took the mediasoup worker ${version} from ${cached}`);
    return;
  }

  const problems = [];
  for (const [way, make] of Object.entries({ download: downloadWorker, build: buildWorker })) {
    try {
      await withTemporaryFolder(async folder => keep(await make({ packageFolder, program, folder }), cached));
      return;
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      problems.push(`${way}: ${error.message}`);
      if (way === 'download') say(`no prebuilt worker: ${error.message}`);
    }
  }
  throw new SetupError(
    [
      `there is no mediasoup worker ${version} that runs here, and neither way to get one worked:`,
      ...problems,
      'Put one of them right and start again, or set MEDIASOUP_WORKER_BIN to a worker binary of this version.',
    ].join('\n'),
  );
}
