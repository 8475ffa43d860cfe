/** Settings of a program that serves, beside the options of its server. */
import * as v from 'valibot';
import { expecting, optionsOf, secret } from '../../api/optionsSchema.ts';
import { duration, flag, text } from '../../api/optionTypes.ts';
import { written } from '../../api/written.ts';
import type { Auth } from '../../remote/server/authenticate.ts';
import { settingsOf } from './setting.ts';

/** Settings of a program that serves. */
export interface ProgramSettings {
  /**
   * Token that clients have to show; better in the variable, or in `tokenFile`, than in an argument, which all users of
   * the machine can read. A module with settings may have a function instead, as the option `auth` of a
   * RemoteMafaldaServer.
   * @default none: `tokenFile` or `open` has to be given
   */
  token?: Exclude<Auth, false>;
  /**
   * File with the token.
   * @default none
   */
  tokenFile?: string;
  /**
   * Lets in everybody who reaches the port, without a token.
   * @default false
   */
  open?: boolean;
  /**
   * Longest time that the program drains after a signal, before it closes what is left. Exit code 3 says that something
   * was.
   * @default 10m
   */
  drainDeadline?: number;
}

const token = expecting(
  'a string, or a function that decides',
  v.custom<Exclude<Auth, false>>(value => typeof value === 'function' || (typeof value === 'string' && value !== '')),
);

export const programSettings = settingsOf(
  { title: 'The program', interfaces: ['ProgramSettings'] },
  optionsOf<ProgramSettings>()({
    token: v.optional(secret(written('text', token))),
    tokenFile: v.optional(secret(written('file', text))),
    open: v.optional(flag),
    drainDeadline: v.optional(duration(0)),
  }),
);
