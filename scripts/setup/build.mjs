/** What is generated from the sources: the package itself, and the page of the example. */
import { existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { step } from './console.mjs';
import { lastChange, root } from './files.mjs';
import { run } from './run.mjs';

/**
 * @param {string} title
 * @param {{ from: string[], to: string, make: () => Promise<void>, unmake: () => void }} target
 */
async function ensureMade(title, { from, to, make, unmake }) {
  const made = lastChange(to);
  if (made && from.every(source => lastChange(source) <= made)) return;
  try {
    await step(title, make);
  } catch (error) {
    unmake();
    throw error;
  }
}

/** The examples and the tests import the package by its name, which leads to dist. */
export async function ensureBuilt() {
  const dist = join(root, 'dist');
  await ensureMade('building the package', {
    from: ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json', 'scripts/types-for-node10.mjs'].map(name =>
      join(root, name),
    ),
    to: join(dist, 'index.js'),
    make: () => run('npm', ['run', '--silent', 'build']),
    // tsc writes its output even where types are wrong: the next set-up would take it for a good one.
    unmake: () => rmSync(dist, { recursive: true, force: true }),
  });
}

export async function ensurePageBundle() {
  const example = join(root, 'examples', 'sfu-server');
  const entry = join(example, 'page', 'main.ts');
  const bundle = join(example, 'public', 'bundle.js');
  if (!existsSync(entry)) return;
  await ensureMade("bundling the example's page", {
    from: [join(example, 'page'), join(root, 'package-lock.json')],
    to: bundle,
    make: () =>
      run(join('node_modules', '.bin', 'esbuild'), [
        relative(root, entry),
        '--bundle',
        '--platform=browser',
        '--format=esm',
        '--minify',
        '--sourcemap',
        `--outfile=${relative(root, bundle)}`,
      ]),
    unmake: () => rmSync(bundle, { force: true }),
  });
}
