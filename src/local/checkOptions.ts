/**
 * Checks of options that mediasoup's Router would refuse. They come before a Router exists, so that a mistake does not
 * start a Worker. The messages are mediasoup's, so that an application finds the same words in its logs. Checks that
 * only a Worker can make are left to it.
 */

type Options = Record<string, unknown> | undefined;

const unlessConfigured =
  ', unless the server has addresses of its own: listenInfos or announcedAddress of RemoteMafaldaServer or Mafalda, webRtcServerOptions of Mafalda';

/** Returns whether a caller gives the addresses of a WebRtcTransport. */
export function givesAddresses({ webRtcServer, listenInfos, listenIps }: NonNullable<Options> = {}): boolean {
  return Boolean(webRtcServer) || Array.isArray(listenInfos) || Array.isArray(listenIps);
}

export const checks = {
  createWebRtcTransport(options: Options): void {
    if (!givesAddresses(options)) {
      throw new TypeError(
        `missing webRtcServer, listenInfos and listenIps (one of them is mandatory${unlessConfigured})`,
      );
    }
    checkAppData(options);
  },
  createPlainTransport: checkListenInfo,
  createPipeTransport: checkListenInfo,
  createDirectTransport: checkAppData,
  createActiveSpeakerObserver(options: Options): void {
    const { interval = 300 } = options ?? {};
    if (typeof interval !== 'number') throw new TypeError('if given, interval must be an number');
    checkAppData(options);
  },
  createAudioLevelObserver(options: Options): void {
    const { maxEntries = 1, threshold = -80, interval = 1000 } = options ?? {};
    if (typeof maxEntries !== 'number' || maxEntries <= 0)
      throw new TypeError('if given, maxEntries must be a positive number');
    if (typeof threshold !== 'number' || threshold < -127 || threshold > 0) {
      throw new TypeError('if given, threshole must be a negative number greater than -127');
    }
    if (typeof interval !== 'number') throw new TypeError('if given, interval must be an number');
    checkAppData(options);
  },
};

function checkListenInfo(options: Options): void {
  const { listenInfo, listenIp } = options ?? {};
  if (!listenInfo && !listenIp)
    throw new TypeError(`missing listenInfo and listenIp (one of them is mandatory${unlessConfigured})`);
  if (listenInfo && listenIp) throw new TypeError('only one of listenInfo and listenIp must be given');
  checkAppData(options);
}

function checkAppData(options: Options): void {
  const { appData } = options ?? {};
  if (appData && typeof appData !== 'object') throw new TypeError('if given, appData must be an object');
}
