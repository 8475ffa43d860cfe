/** Before each file of mediasoup's tests: connects to the server, or to both, and puts that mediasoup in the place of the local one. */
import { afterAll } from '@jest/globals';
import { once } from 'node:events';
import type { Index } from 'mediasoup/types';
import { MafaldaHorizontal, RemoteMafaldaClient } from '../../src/index.ts';

declare const project: 'remote' | 'horizontal';

const { CONFORMANCE_URLS: urls = '', CONFORMANCE_TOKEN: token } = process.env;
const servers = urls.split(' ');
const mafalda =
  project === 'remote' ? new RemoteMafaldaClient(servers[0], { token }) : new MafaldaHorizontal(servers, { token });
await once(mafalda, 'connected');
afterAll(() => mafalda.close());

const { mediasoup } = mafalda;
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
for (const name of Object.keys(members) as (keyof Index)[])
  Object.defineProperty(module, name, { enumerable: true, get: () => mediasoup[name] });
Object.assign(globalThis, { [Symbol.for('mediasoup under test')]: module });
