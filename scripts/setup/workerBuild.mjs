/** The worker, built from the sources in mediasoup's npm package against Debian's libraries: see ../worker-build/README.md. */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { SetupError, step } from './console.mjs';
import { findOnPath, root } from './files.mjs';
import { installPackages } from './packages.mjs';
import { run } from './run.mjs';

const overlay = join(root, 'scripts', 'worker-build', 'subprojects');

/** A compile job of the largest sources takes up to this much. */
const MEMORY_PER_JOB = 1024 ** 3;

/** What the build needs: a program or a library for pkg-config, and the Debian package that has it. */
const PROGRAMS = {
  'c++': 'g++',
  meson: 'meson',
  ninja: 'ninja-build',
  'pkg-config': 'pkg-config',
  flatc: 'flatbuffers-compiler',
};
const LIBRARIES = {
  libuv: 'libuv1-dev',
  openssl: 'libssl-dev',
  libsrtp2: 'libsrtp2-dev',
  flatbuffers: 'libflatbuffers-dev',
  absl_inlined_vector: 'libabsl-dev',
};

const PATCHES = [
  { file: 'meson.build', from: "meson_version: '>= 1.1.0'", to: "meson_version: '>= 1.0.0'" },
  {
    file: 'src/RTC/DtlsTransport.cpp',
    from: '(operationType == BIO_CB_RETURN) ?',
    to: '(operationType & BIO_CB_RETURN) ?',
  },
];

function findMissingPackages() {
  const isMissing = library => spawnSync('pkg-config', ['--exists', library]).status !== 0;
  return [
    ...Object.keys(PROGRAMS)
      .filter(program => !findOnPath(program))
      .map(program => PROGRAMS[program]),
    ...Object.keys(LIBRARIES)
      .filter(isMissing)
      .map(library => LIBRARIES[library]),
  ];
}

/** @param {string} folder */
function patchSources(folder) {
  for (const { file, from, to } of PATCHES) {
    const path = join(folder, file);
    const source = readFileSync(path, 'utf8');
    if (!source.includes(from)) {
      throw new SetupError(
        `"${from}" is not in mediasoup's ${file} any more: adapt scripts/worker-build to this version of mediasoup`,
      );
    }
    writeFileSync(path, source.replace(from, to));
  }
}

/**
 * @param {{ packageFolder: string, program: string, folder: string }} options
 * @returns {Promise<string>} the binary, in the given folder
 */
export async function buildWorker({ packageFolder, program, folder }) {
  if (process.platform !== 'linux') throw new SetupError('prepared for Linux only');
  const missing = findMissingPackages();
  if (missing.length) await installPackages(missing, 'building the worker');

  const sources = join(packageFolder, 'worker');
  const replaced = ['out', 'subprojects'].map(name => join(sources, name));
  cpSync(sources, folder, { recursive: true, filter: path => !replaced.includes(path) });
  cpSync(overlay, join(folder, 'subprojects'), { recursive: true });
  patchSources(folder);

  const jobs = Math.max(1, Math.min(os.availableParallelism(), Math.floor(os.totalmem() / MEMORY_PER_JOB)));
  await step(`building mediasoup's worker from its sources with ${jobs} jobs`, async report => {
    await run('meson', ['setup', 'build', '--buildtype=release', '-Db_ndebug=true', '--wrap-mode=nodownload'], {
      cwd: folder,
    });
    await run('ninja', ['-C', 'build', `-j${jobs}`, program], {
      cwd: folder,
      env: { ...process.env, NINJA_STATUS: '[%f/%t] ' },
      onLine: line => {
        const [, finished, total] = /^\[(\d+)\/(\d+)\]/.exec(line) ?? [];
        if (total) report(Number(finished) / Number(total));
      },
    });
    await run('strip', [join('build', program)], { cwd: folder });
  });
  return join(folder, 'build', program);
}
