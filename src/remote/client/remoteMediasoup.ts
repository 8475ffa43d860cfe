/** mediasoup's module API, with Workers that live on the server: an application written for mediasoup runs on it as it is. */
import * as mediasoup from 'mediasoup';
import { EnhancedEventEmitter } from 'mediasoup/extras';
import type { AppData, Index, ObserverEvents, RouterRtpCapabilities, Worker, WorkerSettings } from 'mediasoup/types';
import { MEDIASOUP_TARGET, type MediasoupInfo } from '../protocol/messages.ts';
import { NodeUnavailableError } from '../../api/errors.ts';
import { mayForgetCalls } from '../../core/mayForget.ts';
import { MediasoupModule } from '../../core/mediasoupModule.ts';
import type { Caller } from './mirrorCore.ts';

export class RemoteMediasoup extends MediasoupModule implements Index {
  readonly observer = new EnhancedEventEmitter<ObserverEvents>();
  /** For what mediasoup logs in this process: its Workers log where they are. */
  readonly setLogEventListeners = mediasoup.setLogEventListeners;
  readonly parseScalabilityMode = mediasoup.parseScalabilityMode;
  readonly #caller: Caller;
  #info: MediasoupInfo | undefined;

  constructor(caller: Caller) {
    super();
    mayForgetCalls(this, ['createWorker']);
    this.#caller = caller;
  }

  protected get facts(): MediasoupInfo | undefined {
    return this.#info;
  }

  /** To be called whenever the server has answered. */
  setInfo(info: MediasoupInfo): void {
    this.#info = info;
  }

  createWorker = async <T extends AppData = AppData>(settings?: WorkerSettings<T>): Promise<Worker<T>> =>
    (await this.#caller.call(MEDIASOUP_TARGET, 'createWorker', settings === undefined ? [] : [settings])) as Worker<T>;

  /** The server's. @throws {NodeUnavailableError} before the server has answered: nothing can be said for it */
  getSupportedRtpCapabilities = (): RouterRtpCapabilities => {
    if (!this.#info)
      throw new NodeUnavailableError("the server has not answered yet: await once(client, 'connected') first");
    return structuredClone(this.#info.supportedRtpCapabilities);
  };
}
