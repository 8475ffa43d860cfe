import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param {string} path */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The first of these commands that is on the PATH.
 * @param {...string} commands
 * @returns {string | undefined}
 */
export function findOnPath(...commands) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return commands.flatMap(command => folders.map(folder => join(folder, command))).find(isExecutable);
}

/**
 * When a file, or a folder or anything in it, was last changed; 0 if it isn't there. The folders count because a
 * deleted file changes nothing else.
 * @param {string} path
 * @returns {number}
 */
export function lastChange(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map(name => lastChange(join(path, name))));
}

/**
 * Copies a program. It appears under its name only once it is whole: another set-up may be looking for it just now.
 * @param {string} from
 * @param {string} to
 */
export function installProgram(from, to) {
  const unfinished = `${to}.${randomBytes(4).toString('hex')}.tmp`;
  mkdirSync(dirname(to), { recursive: true });
  try {
    copyFileSync(from, unfinished);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, to);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/**
 * @template T
 * @param {(folder: string) => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withTemporaryFolder(action) {
  const folder = mkdtempSync(join(tmpdir(), 'mafalda-horizontal-'));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
