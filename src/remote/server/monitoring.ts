/**
 * HTTP requests of operators at a server's port: `/healthz`, `/readyz` and `/metrics`. Their status is for everybody,
 * since load balancers and orchestrators show no tokens; figures and reasons are for who may see them.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../../core/addresses/loopback.ts';
import { logger } from '../../core/logger.ts';

const log = logger('server');

export interface MonitoringSource {
  /** Returns the reason why the server takes nothing new; undefined if it is ready. */
  unreadiness(): string | undefined;
  /** Resolves with the metrics in Prometheus' text format. */
  metrics(): Promise<{ contentType: string; text: string }>;
}

const paths = ['/healthz', '/readyz', '/metrics'] as const;
type Path = (typeof paths)[number];

/** Headers that proxies add: with one of them, a request from the loopback address comes from elsewhere. */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

interface Answer {
  status: number;
  text: string;
  contentType?: string;
}

export class Monitoring {
  readonly #source: MonitoringSource;
  readonly #token: string | undefined;
  /** Metrics that are being collected, which requests at the same time share. */
  #collecting: ReturnType<MonitoringSource['metrics']> | undefined;

  /** @param token that requests for figures must show; without it, only this machine may see them */
  constructor(source: MonitoringSource, token: string | undefined) {
    this.#source = source;
    this.#token = token;
  }

  /** Answers a request, if it is one of an operator's. @returns whether it is */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const path = request.url?.split('?', 1)[0];
    if (!isPath(path)) return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return true;
    }
    void this.#answer(path, this.#isTrusted(request)).then(({ status, text, contentType = 'text/plain' }) => {
      response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : text);
    });
    return true;
  }

  async #answer(path: Path, isTrusted: boolean): Promise<Answer> {
    if (path === '/healthz') return { status: 200, text: 'ok\n' };
    if (path === '/readyz') {
      const reason = this.#source.unreadiness();
      if (reason === undefined) return { status: 200, text: 'ready\n' };
      return { status: 503, text: isTrusted ? `not ready: ${reason}\n` : 'not ready\n' };
    }
    if (!isTrusted) {
      const advice =
        this.#token === undefined
          ? 'only this machine may see them: set metricsToken'
          : 'the token is missing or wrong';
      return { status: this.#token === undefined ? 403 : 401, text: `${advice}\n` };
    }
    try {
      this.#collecting ??= this.#source.metrics().finally(() => (this.#collecting = undefined));
      return { status: 200, ...(await this.#collecting) };
    } catch (error) {
      log.error('the metrics could not be collected: %o', error);
      return { status: 500, text: 'the metrics could not be collected: see the log\n' };
    }
  }

  #isTrusted({ headers, socket }: IncomingMessage): boolean {
    if (this.#token !== undefined) return isSame(headers.authorization ?? '', `Bearer ${this.#token}`);
    return isLoopback(socket.remoteAddress) && !proxyHeaders.some(name => name in headers);
  }
}

function isPath(path: string | undefined): path is Path {
  return (paths as readonly (string | undefined)[]).includes(path);
}

/** Compares in a time that says nothing about the token. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
