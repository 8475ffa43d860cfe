/** Settings of `serve`: options of a Mafalda and of its server, and short forms of some of them. */
import * as v from 'valibot';
import { optionsOf } from '../../api/optionsSchema.ts';
import { positiveInteger } from '../../api/optionTypes.ts';
import { mafaldaOptions } from '../../local/mafaldaOptions.ts';
import { portRange, type PortRange } from './portRange.ts';
import { programSettings } from './programSettings.ts';
import { redisSettings } from './redisSettings.ts';
import { mediaServerSettings } from './serverSettings.ts';
import { settingsOf, type SettingSource } from './setting.ts';

/** Short forms of options of a Mafalda. */
export interface MediaSettings {
  /**
   * Ports that all WebRtcTransports share, one of UDP and one of TCP for each Worker: short for `webRtcServerOptions`.
   * @default none: each WebRtcTransport has ports of its own
   */
  mediaPorts?: PortRange;
  /**
   * UDP ports of pipes from and to other servers: short for `pipeListenInfo`.
   * @default any ports of mediasoup’s range
   */
  pipePorts?: PortRange;
  /**
   * Number of Workers that all processes of this machine may have: short for `workerBudget`.
   * @default the number of cores
   */
  workers?: number;
}

export const mafaldaSource: SettingSource = { title: 'Media', interfaces: ['MafaldaOptions', 'AddressOptions'] };

export const serveSettings = {
  ...programSettings,
  ...mediaServerSettings,
  ...redisSettings,
  ...settingsOf(mafaldaSource, mafaldaOptions),
  ...settingsOf(
    { title: mafaldaSource.title, interfaces: ['MediaSettings'] },
    optionsOf<MediaSettings>()({
      mediaPorts: v.optional(portRange),
      pipePorts: v.optional(portRange),
      workers: v.optional(positiveInteger),
    }),
  ),
};
