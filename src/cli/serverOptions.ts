/** Options of a RemoteMafaldaServer from the settings that `serve` and `cluster` have in common. */
import type { RemoteMafaldaServer, RemoteMafaldaServerOptions } from '../remote/index.ts';
import { argumentOf, variableOf } from './settings/names.ts';
import { commonSettings, type clusterSettings, type serveSettings } from './settings/serverSettings.ts';
import type { Values } from './settings/readSettings.ts';
import { UsageError } from './usageError.ts';

type ServerValues = Values<typeof serveSettings> | Values<typeof clusterSettings>;

/** @throws {UsageError} if it is not said who may come in */
export function serverOptionsOf(values: ServerValues): RemoteMafaldaServerOptions {
  const given = Object.fromEntries(
    Object.keys(commonSettings).map(name => [name, values[name as keyof typeof commonSettings]]),
  ) as Partial<RemoteMafaldaServerOptions>;
  return { ...given, auth: authOf(values) };
}

/** Returns where a server listens, in words: if that is on all addresses, its URL is only the one for this machine. */
export function describeListening(
  { url }: Pick<RemoteMafaldaServer, 'url'>,
  { host }: Pick<RemoteMafaldaServerOptions, 'host'>,
): string {
  const isEverywhere = host === undefined || host === '0.0.0.0' || host === '::';
  return isEverywhere ? `${url} and all other addresses of this machine` : url;
}

function authOf({ open, ...values }: ServerValues): RemoteMafaldaServerOptions['auth'] {
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
export function tokenOf({ token, tokenFile }: { token?: string; tokenFile?: string }): string | undefined {
  return token ?? tokenFile?.trim();
}
