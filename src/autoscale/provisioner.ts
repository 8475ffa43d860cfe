/** Provisioner: starts and stops servers, wherever they come from. */

/** Request for a server. */
export interface StartRequest {
  /** Region in which the server is wanted; undefined if regions are not told apart. */
  readonly region?: string;
  /**
   * Fencing token of the lease by which the autoscaler decides alone, if it has one. It grows with each new holder: a
   * provisioner that has seen a greater one can refuse.
   */
  readonly fence?: number;
  /** Is aborted when the start is given up: a server that comes nevertheless is stopped. */
  readonly signal: AbortSignal;
}

/** Server that a provisioner has ordered. */
export interface ProvisionedServer {
  /** Id by which the provisioner knows the server. */
  readonly id: string;
  /** URL of its RemoteMafaldaServer, which need not be reached yet. */
  readonly url: string;
}

/** Server that a provisioner knows. */
export interface ListedServer {
  /** Id by which the provisioner knows the server. */
  readonly id: string;
  /** URL, as soon as it is known. */
  readonly url?: string;
  /** Region in which it was started. */
  readonly region?: string;
}

/** Starts and stops servers, wherever they come from. */
export interface Provisioner {
  /** Orders a server. Resolves when its id and URL are known. */
  start(request: StartRequest): Promise<ProvisionedServer>;
  /** Ends a server. Resolves when it is gone, also if it was gone before. */
  stop(id: string): Promise<void>;
  /**
   * Resolves with all servers that were started and not stopped, by whichever process: also those that are just being
   * started.
   */
  list(): Promise<readonly ListedServer[]>;
}

/** @throws {TypeError} for what a provisioner must not answer */
export function checkProvisioned(answer: unknown): ProvisionedServer {
  const { id, url } = checkListed(answer);
  if (url === undefined) throw new TypeError(`the server "${id}" has no url`);
  return { id, url };
}

/** @throws {TypeError} for what a provisioner must not list */
export function checkList(answer: unknown): ListedServer[] {
  if (!Array.isArray(answer)) throw new TypeError(`a list of servers is expected, not ${textOf(answer)}`);
  return answer.map(checkListed);
}

function checkListed(answer: unknown): ListedServer {
  if (typeof answer !== 'object' || answer === null)
    throw new TypeError(`a server is expected as { id, url }, not ${textOf(answer)}`);
  const { id, url, region } = answer as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || id === '') throw new TypeError(`the id of a server must be a text, not ${textOf(id)}`);
  if (url !== undefined && (typeof url !== 'string' || !/^wss?:\/\//.test(url)))
    throw new TypeError(`the url of the server "${id}" must begin with ws:// or wss://, and is ${textOf(url)}`);
  if (region !== undefined && typeof region !== 'string')
    throw new TypeError(`the region of the server "${id}" must be a text, not ${textOf(region)}`);
  return { id, ...(url === undefined ? {} : { url }), ...(region === undefined ? {} : { region }) };
}

function textOf(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 100);
}
