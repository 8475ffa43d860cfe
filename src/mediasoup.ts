/**
 * mediasoup's module, with Workers on the media servers that `MAFALDA_NODES` names, for an application that replaces its
 * import:
 *
 *     import * as mediasoup from 'mafalda-horizontal/mediasoup';
 *
 * Environment: `MAFALDA_NODES` (URLs, comma-separated), `MAFALDA_TOKEN`, `MAFALDA_NAME`, read when a first Worker is
 * made.
 */
import type { MediasoupApi } from './api/types.ts';
import {
  ClusterModule,
  errors,
  extras,
  getSupportedRtpCapabilities,
  ortc,
  parseScalabilityMode,
  setLogEventListeners,
  version,
  workerBin,
} from './module/clusterModule.ts';
import { readSettings } from './module/settings.ts';

export type * as types from 'mediasoup/types';
export {
  errors,
  extras,
  getSupportedRtpCapabilities,
  ortc,
  parseScalabilityMode,
  setLogEventListeners,
  version,
  workerBin,
};

export const {
  /**
   * Creates a Worker on one of the servers that `MAFALDA_NODES` names.
   * @throws {TypeError} if it names none
   * @throws {NodeUnavailableError} if none of them can be used
   */
  createWorker,
  /** mediasoup's observer, which tells of the Workers that are created by this module. */
  observer,
} = new ClusterModule(() => readSettings(process.env));

/** For `import mediasoup from …`, as mediasoup is often imported. */
const mediasoup: MediasoupApi = {
  createWorker,
  errors,
  extras,
  getSupportedRtpCapabilities,
  observer,
  ortc,
  parseScalabilityMode,
  setLogEventListeners,
  version,
  workerBin,
};
export default mediasoup;
