/** Settings of the server of a program: the options of a RemoteMafaldaServer. */
import { serverOptions } from '../../remote/server/serverOptions.ts';
import { settingsOf, type SettingSource } from './setting.ts';

export const serverSource: SettingSource = {
  title: 'The server',
  interfaces: ['RemoteMafaldaServerOptions', 'AddressOptions'],
};

/** Options of a server that no setting can be. */
export const noServerSettings = {
  auth: 'is made of `token`, `tokenFile` and `open`',
  server: 'is an object of a program',
  directory: 'is made of `redis`',
} as const;

const addresses = 'is the nodes’: a central server has no media';
const streams = 'is for servers whose own Workers streams leave';

/** Options of a central server that no setting can be. */
export const noCentralServerSettings = {
  ...noServerSettings,
  publicUrl: 'is for servers in a directory, where a central server would be found by itself',
  announcedAddress: addresses,
  listenInfos: addresses,
  listenIps: addresses,
  pipeListenInfo: addresses,
  fanOut: streams,
  watermarkFanOut: streams,
} as const;

export const mediaServerSettings = settingsOf(serverSource, serverOptions, noServerSettings);
export const centralServerSettings = settingsOf(serverSource, serverOptions, noCentralServerSettings);
