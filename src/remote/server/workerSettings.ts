/** What the Workers of clients are started with: the operator of the server has the first word, and says what is left to clients. */
import type { WorkerSettings } from 'mediasoup/types';

export type ClientWorkerSetting = Exclude<keyof WorkerSettings, 'appData' | LocalSetting>;

/** Programs and files of this machine: not for a caller at another one to choose. */
const LOCAL_SETTINGS = ['workerBin', 'dtlsCertificateFile', 'dtlsPrivateKeyFile'] as const;
type LocalSetting = (typeof LOCAL_SETTINGS)[number];

export class SettingsPolicy {
  readonly #own: WorkerSettings;
  readonly #allowed: readonly string[] | undefined;

  /**
   * @param own of the server
   * @param allowed what clients may choose; default: what `own` does not have, or, without it, everything
   * @throws {TypeError} for something else
   */
  constructor(own: WorkerSettings | undefined, allowed: readonly ClientWorkerSetting[] | undefined) {
    if (own !== undefined && (typeof own !== 'object' || own === null || Array.isArray(own)))
      throw new TypeError('if given, workerSettings must be an object');
    if (allowed !== undefined && !(Array.isArray(allowed) && allowed.every(name => typeof name === 'string'))) {
      throw new TypeError('if given, clientWorkerSettings must be an array of names of worker settings');
    }
    const local = allowed?.find(name => (LOCAL_SETTINGS as readonly string[]).includes(name));
    if (local !== undefined) throw new TypeError(`clientWorkerSettings: ${local} is this machine's own business`);
    this.#own = own ?? {};
    this.#allowed = allowed;
  }

  /**
   * What is to be used where a client wants this. @param where before the names in errors
   * @throws {TypeError} for what the client may not choose
   */
  settle(wanted: WorkerSettings | undefined, where = ''): WorkerSettings | undefined {
    const own = this.#own;
    for (const [name, value] of Object.entries(wanted ?? {}) as [keyof WorkerSettings, unknown][]) {
      if (value === undefined || name === 'appData') continue;
      if ((LOCAL_SETTINGS as readonly string[]).includes(name))
        throw new TypeError(`${where}${name} can't be chosen from outside`);
      const isAllowed = this.#allowed ? this.#allowed.includes(name) : own[name] === undefined;
      if (isAllowed || JSON.stringify(value) === JSON.stringify(own[name])) continue;
      const choice = this.#allowed?.length
        ? `only ${this.#allowed.join(', ')} may be chosen (clientWorkerSettings)`
        : 'it is the server’s own (workerSettings, clientWorkerSettings)';
      throw new TypeError(`${where}${name} is not for clients of this server to choose: ${choice}`);
    }
    return Object.keys(own).length > 0 ? { ...own, ...wanted } : wanted;
  }
}
