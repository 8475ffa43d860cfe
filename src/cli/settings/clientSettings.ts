/** Settings of commands that ask servers: options of a RemoteMafaldaClient. */
import * as v from 'valibot';
import { optionsOf, secret } from '../../api/optionsSchema.ts';
import { duration, flag, text } from '../../api/optionTypes.ts';
import { written } from '../../api/written.ts';
import { connectionOptions } from '../../remote/client/connectionOptions.ts';
import { settingsOf, type SettingSource } from './setting.ts';

/** Settings of commands that ask servers, beside the options of their connection. */
export interface ClientSettings {
  /**
   * File with the token that the servers ask for.
   * @default none
   */
  tokenFile?: string;
  /**
   * Longest time to wait for a server, and for its answers.
   * @default 5s
   */
  timeout?: number;
}

/** Settings of commands that have something to tell. */
export interface OutputSettings {
  /**
   * JSON instead of lines for people.
   * @default false
   */
  json?: boolean;
}

export const connectionSource: SettingSource = { title: 'Connection', interfaces: ['RemoteMafaldaClientOptions'] };

const oneSession = 'is for programs that stay: a command has one connection, and leaves nothing behind';

/** Options of a RemoteMafaldaClient that no setting can be. */
export const noClientSettings = {
  callTimeout: 'is `timeout`, which the connection has to be made in as well',
  sessionTimeout: oneSession,
  name: oneSession,
  limits: oneSession,
} as const;

export const clientSettings = {
  ...settingsOf(connectionSource, connectionOptions, noClientSettings),
  ...settingsOf(
    { title: connectionSource.title, interfaces: ['ClientSettings'] },
    optionsOf<ClientSettings>()({
      tokenFile: v.optional(secret(written('file', text))),
      timeout: v.optional(duration(1)),
    }),
  ),
};

export const outputSettings = settingsOf(
  { title: 'Output', interfaces: ['OutputSettings'] },
  optionsOf<OutputSettings>()({ json: v.optional(flag) }),
);
