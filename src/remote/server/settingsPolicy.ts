/**
 * Policy for the settings of clients' Workers: those of the server's operator come first, and the operator decides which
 * settings clients may choose.
 */
import type { WorkerSettings } from 'mediasoup/types';
import * as v from 'valibot';
import { listOf } from '../../api/optionTypes.ts';
import { written } from '../../api/written.ts';

/** Name of a setting that clients may be allowed to choose. */
export type ClientWorkerSetting = Exclude<
  keyof WorkerSettings,
  'appData' | 'workerBin' | 'dtlsCertificateFile' | 'dtlsPrivateKeyFile'
>;

/** Settings that name programs and files of this machine, which no client on another machine may choose. */
const LOCAL_SETTINGS: readonly string[] = ['workerBin', 'dtlsCertificateFile', 'dtlsPrivateKeyFile'];

export const clientWorkerSettings = listOf(
  'names of settings, without those of files of this machine',
  written(
    'text',
    v.custom<ClientWorkerSetting>(name => typeof name === 'string' && !isLocal(name)),
  ),
);

export class SettingsPolicy {
  readonly #own: WorkerSettings;
  readonly #allowed: readonly string[] | undefined;

  /**
   * @param own settings of the server
   * @param allowed names of the settings that clients may choose; default: all that are not in `own`
   */
  constructor(own: WorkerSettings | undefined, allowed: readonly ClientWorkerSetting[] | undefined) {
    this.#own = own ?? {};
    this.#allowed = allowed;
  }

  /**
   * Merges a client's settings with those of the server.
   * @param prefix of the names in errors
   * @throws {TypeError} for a setting that the client may not choose
   */
  settle(wanted: WorkerSettings | undefined, prefix = ''): WorkerSettings | undefined {
    const own = this.#own;
    for (const [name, value] of Object.entries(wanted ?? {}) as [keyof WorkerSettings, unknown][]) {
      if (value === undefined || name === 'appData') continue;
      if (isLocal(name)) throw new TypeError(`${prefix}${name} can't be chosen from outside`);
      const isAllowed = this.#allowed ? this.#allowed.includes(name) : own[name] === undefined;
      if (isAllowed || JSON.stringify(value) === JSON.stringify(own[name])) continue;
      const choice = this.#allowed?.length
        ? `only ${this.#allowed.join(', ')} may be chosen (clientWorkerSettings)`
        : 'it is the server’s own (workerSettings, clientWorkerSettings)';
      throw new TypeError(`${prefix}${name} is not for clients of this server to choose: ${choice}`);
    }
    return Object.keys(own).length > 0 ? { ...own, ...wanted } : wanted;
  }
}

function isLocal(name: string): boolean {
  return LOCAL_SETTINGS.includes(name);
}
