/** Settings from the environment, for applications that name no media servers themselves. */

export interface ModuleSettings {
  /** URLs of RemoteMafaldaServers: `MAFALDA_NODES`, comma-separated. */
  nodes: string[];
  /** Token that the servers' `auth` asks for: `MAFALDA_TOKEN`; default: no token. */
  token?: string;
  /**
   * Name under which the application replaces its predecessor when it starts again: `MAFALDA_NAME`; default: no name.
   */
  name?: string;
}

/** @throws {TypeError} if no server is named */
export function readSettings(env: NodeJS.ProcessEnv): ModuleSettings {
  const nodes = (env['MAFALDA_NODES'] ?? '')
    .split(',')
    .map(url => url.trim())
    .filter(Boolean);
  if (nodes.length === 0) {
    throw new TypeError(
      'no media servers: set MAFALDA_NODES to the URLs of your servers, separated by commas, such as MAFALDA_NODES=wss://media-1.example:4443,wss://media-2.example:4443',
    );
  }
  return { nodes, token: env['MAFALDA_TOKEN'] || undefined, name: env['MAFALDA_NAME'] || undefined };
}
