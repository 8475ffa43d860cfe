/** Connection of a command to a server, which it waits for, and closes. */
import { RemoteMafaldaClient, type RemoteMafaldaClientOptions } from '../remote/index.ts';
import { tokenOf } from './serverOptions.ts';
import { connectionSource, clientSettings } from './settings/clientSettings.ts';
import { optionsFrom, type Values } from './settings/setting.ts';

/** Time to wait for a server, in ms. */
export const DEFAULT_TIMEOUT_MS = 5000;

/**
 * Runs an action with a connected client, which closes at the end.
 * @throws {Error} if the server is not reached in time, or does not let the client in, with the reason
 */
export async function withClient<T>(
  url: string,
  values: Values<typeof clientSettings>,
  act: (client: RemoteMafaldaClient) => Promise<T>,
): Promise<T> {
  const { timeout = DEFAULT_TIMEOUT_MS } = values;
  const client = new RemoteMafaldaClient(url, {
    ...optionsFrom<RemoteMafaldaClientOptions>(connectionSource, clientSettings, values),
    token: tokenOf(values),
    callTimeout: timeout,
  });
  try {
    await untilReported(client, timeout);
    return await act(client);
  } finally {
    await client.close();
  }
}

/** Resolves with the first load report, which comes right after the connection. */
function untilReported(client: RemoteMafaldaClient, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(
      () => reject(client.trouble ?? new Error(`${client.url} has not answered within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const settle = (end: () => void) => (): void => {
      clearTimeout(timeout);
      end();
    };
    client.once('load', settle(resolve));
    client.once('connecterror', ({ error }) => settle(() => reject(error))());
    // The reason has been told by `connecterror`.
    client.on('error', () => undefined);
  });
}
