/** Parsing of servers' URLs. */

import { describeGiven } from '../../api/describeGiven.ts';
import { DEFAULT_PATH } from '../protocol/messages.ts';

/**
 * @param path default, if the URL has none
 * @returns origin that socket.io connects to, and its path there
 * @throws {TypeError} for an invalid URL of a server
 */
export function addressOf(url: string, path = DEFAULT_PATH): { origin: string; path: string } {
  const { protocol, host, pathname, search, hash, username, password } = parse(url);
  if (!/^(ws|http)s?:$/.test(protocol)) throw new TypeError(`${url}: must begin with wss:// or ws://`);
  // A URL must not contain secrets, since it is logged, and part of errors.
  if (username || password)
    throw new TypeError(`${protocol}//${host}: a URL must not have a user or a password: there is the option token`);
  if (search || hash) throw new TypeError(`${url}: must not have anything after its path`);
  const own = pathname.replace(/\/+$/, '');
  return { origin: `${protocol.replace('ws', 'http')}//${host}`, path: own === '' ? path : own };
}

function parse(url: string): URL {
  try {
    return new URL(url);
  } catch (error) {
    throw new TypeError(`Invalid URL ${JSON.stringify(url)}: it must be like wss://media-1.example:4443`, {
      cause: error,
    });
  }
}

/**
 * @returns the URLs as a list
 * @throws {TypeError} for a list that is empty or has a URL twice
 */
export function urlsOf(url: string | readonly string[]): readonly string[] {
  if (typeof url !== 'string' && !(url instanceof Array))
    throw new TypeError(`RemoteMafaldaClient: url must be a URL, or an array of URLs; ${describeGiven(url)}`);
  const urls: readonly string[] = typeof url === 'string' ? [url] : [...url];
  if (urls.length === 0) throw new TypeError('missing url');
  if (new Set(urls).size < urls.length) throw new TypeError(`each URL must be given once: ${urls.join(', ')}`);
  return urls;
}
