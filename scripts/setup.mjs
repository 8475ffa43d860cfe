#!/usr/bin/env node
/**
 * Makes a fresh clone ready: dependencies, mediasoup's worker, the built package and the example's page.
 * `--browser` gets a Chromium for the tests as well, and what else they need. Quick and silent when everything is in place.
 */
import { ensureBrowser } from './setup/browser.mjs';
import { ensureBuilt, ensurePageBundle } from './setup/build.mjs';
import { SetupError } from './setup/console.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { ensureNetworkTools } from './setup/network.mjs';
import { checkNodeVersion } from './setup/nodeVersion.mjs';
import { ensureRedis } from './setup/redis.mjs';
import { Interrupted, stopOnSignals } from './setup/run.mjs';
import { ensureWorker } from './setup/worker.mjs';

const options = process.argv.slice(2);

try {
  const unknown = options.find(option => option !== '--browser');
  if (unknown) throw new SetupError(`unknown option ${unknown}: the only one is --browser`);
  checkNodeVersion();
  stopOnSignals();
  await ensureDependencies();
  await ensureWorker();
  if (options.includes('--browser')) {
    await ensureBrowser();
    await ensureNetworkTools();
    await ensureRedis();
  }
  await ensureBuilt();
  await ensurePageBundle();
} catch (error) {
  if (!(error instanceof SetupError) && !(error instanceof Interrupted)) throw error;
  console.error(`setup: ${error.message}`);
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
}
