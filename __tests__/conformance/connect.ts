/** Before each file of mediasoup's tests: connects to the server, and puts its mediasoup in the place of the local one. */
import { afterAll } from '@jest/globals';
import { once } from 'node:events';
import type { Index } from 'mediasoup/types';
import { RemoteMafaldaClient } from '../../src/index.ts';

const { CONFORMANCE_URL: url, CONFORMANCE_TOKEN: token } = process.env;
const client = new RemoteMafaldaClient(url, { token });
await once(client, 'connected');
afterAll(() => client.close());

const { mediasoup } = client;
const members: Record<keyof Index, true> = {
  version: true,
  workerBin: true,
  observer: true,
  createWorker: true,
  getSupportedRtpCapabilities: true,
  parseScalabilityMode: true,
  setLogEventListeners: true,
};

/** As a module looks to compiled code that imports it. */
const module = { __esModule: true };
for (const name of Object.keys(members) as (keyof Index)[]) Object.defineProperty(module, name, { enumerable: true, get: () => mediasoup[name] });
Object.assign(globalThis, { [Symbol.for('mediasoup under test')]: module });
