#!/usr/bin/env node
/** Runs the tests with jest, which gets this command's arguments; the count of the tests is the last line of the output. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findBrowser } from './setup/browser.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const jest = fileURLToPath(new URL('../node_modules/jest/bin/jest.js', import.meta.url));
const counter = fileURLToPath(new URL('count-reporter.mjs', import.meta.url));

// The sources are ES modules, which jest runs only with this flag; its workers inherit the variable.
const nodeOptions = [process.env.NODE_OPTIONS, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const env = { ...process.env, NODE_OPTIONS: nodeOptions.filter(Boolean).join(' ') };
const browser = findBrowser();
if (browser) env.CHROMIUM_BIN = browser;

// The reporters come last: jest would take the name of a test behind them for one more reporter.
const child = spawn(
  process.execPath,
  [jest, ...process.argv.slice(2), '--reporters=default', `--reporters=${counter}`],
  {
    cwd: root,
    env,
    stdio: 'inherit',
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', code => {
  process.exitCode = code ?? 1;
});
