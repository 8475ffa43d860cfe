/** Options of a RemoteMafaldaServer from the settings that `serve` and `cluster` have in common. */
import type { RemoteMafaldaServer, RemoteMafaldaServerOptions } from '../remote/index.ts';
import { argumentOf, variableOf } from './settings/names.ts';
import type { programSettings } from './settings/programSettings.ts';
import { serverSource } from './settings/serverSettings.ts';
import { optionsFrom, type Settings, type Values } from './settings/setting.ts';
import { UsageError } from './usageError.ts';

type ProgramValues = Values<typeof programSettings>;

/** @throws {UsageError} if it is not said who may come in */
export function serverOptionsOf(settings: Settings, values: ProgramValues): RemoteMafaldaServerOptions {
  return { ...optionsFrom<RemoteMafaldaServerOptions>(serverSource, settings, values), auth: authOf(values) };
}

/** Returns where a server listens, in words: if that is on all addresses, its URL is only the one for this machine. */
export function describeListening(
  { url }: Pick<RemoteMafaldaServer, 'url'>,
  { host }: Pick<RemoteMafaldaServerOptions, 'host'>,
): string {
  const isEverywhere = host === undefined || host === '0.0.0.0' || host === '::';
  return isEverywhere ? `${url} and all other addresses of this machine` : url;
}

function authOf({ open, ...values }: ProgramValues): RemoteMafaldaServerOptions['auth'] {
  const token = tokenOf(values);
  if (open && token !== undefined)
    throw new UsageError(`${argumentOf('open')} lets in everybody, and a token only who shows it: give one of them`);
  if (open) return false;
  if (token !== undefined) return token;
  throw new UsageError(
    `no token: set ${variableOf('token')} or ${argumentOf('tokenFile')} to what clients have to show, or ${argumentOf('open')} if everybody who reaches the port may come in`,
  );
}

/** Returns the token that is given itself, or by its file. */
export function tokenOf<Token>({
  token,
  tokenFile,
}: {
  token?: Token | undefined;
  tokenFile?: string | undefined;
}): Token | string | undefined {
  return token ?? tokenFile?.trim();
}
