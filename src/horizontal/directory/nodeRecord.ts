/** Checks of records of nodes: a directory may hold what no server has written. */
import type { NodeRecord } from './directory.ts';

/** Limits of what a record may hold, in characters and entries. */
export const MAX_URL_LENGTH = 2048;
const MAX_NAME_LENGTH = 200;
const MAX_LABELS = 64;

/** Returns whether a value is a URL by which controllers can reach a server. */
export function isNodeUrl(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > MAX_URL_LENGTH || !URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return /^(ws|http)s?:$/.test(protocol) && username === '' && password === '' && search === '' && hash === '';
}

/** Returns the record with its known members only, if the value is one, and undefined if it is not. */
export function checkedRecord(value: unknown): NodeRecord | undefined {
  if (!isObject(value)) return undefined;
  const { url, serverId, region, labels = {}, load, draining } = value;
  if (!isNodeUrl(url) || !isName(serverId) || (region !== undefined && !isName(region))) return undefined;
  if (typeof load !== 'number' || !(load >= 0) || load === Infinity || typeof draining !== 'boolean') return undefined;
  if (!isLabels(labels)) return undefined;
  return { url, serverId, ...(region !== undefined && { region }), labels, load, draining };
}

function isLabels(value: unknown): value is Record<string, string> {
  if (!isObject(value)) return false;
  const entries = Object.entries(value);
  return entries.length <= MAX_LABELS && entries.every(([name, label]) => isName(name) && isName(label));
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME_LENGTH;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
