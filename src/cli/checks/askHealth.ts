/** Request to a server's port over HTTP, for what an answer tells beside its status: the server's time, and its certificate. */
import type { X509Certificate } from 'node:crypto';
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { TLSSocket } from 'node:tls';

export interface HealthOptions {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  /** Time limit in ms. */
  timeout: number;
}

export interface Health {
  /** Time of the server, in whole seconds, as the header of the answer has it. */
  date: string | undefined;
  certificate: X509Certificate | undefined;
}

/** @throws {Error} if the server does not answer in time, or its certificate is not valid */
export function askHealth(url: string, { timeout, ...credentials }: HealthOptions): Promise<Health> {
  const address = new URL('/healthz', url.replace(/^ws/, 'http'));
  const get = address.protocol === 'https:' ? getHttps : getHttp;
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage): void => {
      answer.resume();
      const { socket, headers } = answer;
      const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
      resolve({ date: headers.date, certificate });
    };
    const options = { ...credentials, agent: false, signal: AbortSignal.timeout(timeout) };
    get(address, options, onAnswer).once('error', reject);
  });
}
