/** The npm packages, exactly as package-lock.json names them. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { step } from './console.mjs';
import { readJson, root } from './files.mjs';
import { recommendNodeVersion } from './nodeVersion.mjs';
import { run } from './run.mjs';

const lockPath = join(root, 'package-lock.json');
const markerPath = join(root, 'node_modules', '.mafalda-setup');
const installedPath = join(root, 'node_modules', '.package-lock.json');

/** Whether someone's own `npm ci` or `npm install` made node_modules from this lock: npm notes what it installed. */
function isInstalled() {
  if (!existsSync(installedPath)) return false;
  const installed = readJson(installedPath).packages;
  return Object.entries(readJson(lockPath).packages).every(
    ([path, { version, optional }]) =>
      path === '' || (installed[path] ? installed[path].version === version : optional),
  );
}

export async function ensureDependencies() {
  const lockHash = createHash('sha256').update(readFileSync(lockPath)).digest('hex');
  if (existsSync(markerPath) && readFileSync(markerPath, 'utf8') === lockHash) return;
  if (!isInstalled()) {
    recommendNodeVersion();
    // Without the development dependencies, as with NODE_ENV=production, there is nothing to build or test with.
    await step('installing the dependencies (npm ci)', () => run('npm', ['ci', '--include=dev', '--loglevel=error']));
  }
  writeFileSync(markerPath, lockHash);
}
