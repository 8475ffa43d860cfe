/** mediasoup's module API with Workers on the server, so that an application written for mediasoup runs unchanged. */
import * as mediasoup from 'mediasoup';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { AppData, Index, ObserverEvents, RouterRtpCapabilities, Worker, WorkerSettings } from 'mediasoup/types';
import { MEDIASOUP_TARGET, type MediasoupInfo } from '../protocol/messages.ts';
import { NodeUnavailableError } from '../../api/errors.ts';
import { logRejections } from '../../core/logRejections.ts';
import { MediasoupModule } from '../../core/mediasoupModule.ts';
import type { Caller } from './mirrorCore.ts';

export class RemoteMediasoup extends MediasoupModule implements Index {
  readonly observer = new EnhancedEventEmitter<ObserverEvents>();
  /** Concerns the log of mediasoup in this process only; Workers log on their server. */
  readonly setLogEventListeners = mediasoup.setLogEventListeners;
  readonly parseScalabilityMode = mediasoup.parseScalabilityMode;
  readonly #caller: Caller;
  #info: MediasoupInfo | undefined;

  constructor(caller: Caller) {
    super();
    logRejections(this, ['createWorker']);
    this.#caller = caller;
  }

  protected get facts(): MediasoupInfo | undefined {
    return this.#info;
  }

  /** Takes over the information of the server's module, with each welcome. */
  setInfo(info: MediasoupInfo): void {
    this.#info = info;
  }

  createWorker = async <T extends AppData = AppData>(settings?: WorkerSettings<T>): Promise<Worker<T>> =>
    (await this.#caller.call(MEDIASOUP_TARGET, 'createWorker', settings === undefined ? [] : [settings])) as Worker<T>;

  /**
   * Returns the server's capabilities.
   * @throws {NodeUnavailableError} before the server has answered for the first time
   */
  getSupportedRtpCapabilities = (): RouterRtpCapabilities => {
    if (!this.#info)
      throw new NodeUnavailableError("the server has not answered yet: await once(client, 'connected') first");
    return structuredClone(this.#info.supportedRtpCapabilities);
  };
}
