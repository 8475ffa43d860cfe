/** Chromium with a page of the benchmark, and calls of what the page offers. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { DtlsParameters, Producer, ProducerOptions, WebRtcTransport } from 'mediasoup/types';
import type { Page } from 'playwright-core';
import { launchBrowser } from '../../__tests__/browser/launchBrowser.ts';

export class Person {
  readonly #page: Page;
  readonly #transports: Map<string, WebRtcTransport>;

  constructor(page: Page, transports: Map<string, WebRtcTransport>) {
    this.#page = page;
    this.#transports = transports;
  }

  /** A function of `page/page.ts`. */
  async call<T = void>(name: string, ...args: unknown[]): Promise<T> {
    const result: unknown = await this.#page.evaluate(
      given =>
        (globalThis as unknown as { page: Record<string, (...args: unknown[]) => unknown> }).page[given.name]!(
          ...given.args,
        ),
      { name, args },
    );
    return result as T;
  }

  /** Opens the browser's side of a Transport. */
  async open(direction: 'send' | 'recv', transport: WebRtcTransport): Promise<void> {
    const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
    this.#transports.set(id, transport);
    transport.observer.once('close', () => this.#transports.delete(id));
    await this.call('openTransport', direction, { id, iceParameters, iceCandidates, dtlsParameters });
  }
}

export interface Browsing {
  publisher: Person;
  viewer: Person;
  /** What pages have produced, by id. */
  producers: Map<string, Producer>;
  close(): Promise<void>;
}

export async function openBrowser(): Promise<Browsing> {
  const entry = fileURLToPath(new URL('page/page.ts', import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    logLevel: 'error',
  });
  const script = outputFiles[0]!.text.replaceAll('</script', '<\\/script');
  const http = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end(`<!doctype html><script>${script}</script>`),
  );
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const browser = await launchBrowser();
  const transports = new Map<string, WebRtcTransport>();
  const producers = new Map<string, Producer>();
  const produce = async (id: string, options: ProducerOptions): Promise<string> => {
    const producer = await transports.get(id)!.produce(options);
    producers.set(producer.id, producer);
    return producer.id;
  };
  const open = async (): Promise<Person> => {
    const page = await (await browser.newContext()).newPage();
    page.on('pageerror', error => console.error('page:', error));
    await page.exposeFunction('connectTransport', (id: string, dtlsParameters: DtlsParameters) =>
      transports.get(id)!.connect({ dtlsParameters }),
    );
    await page.exposeFunction('produce', produce);
    await page.goto(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`);
    return new Person(page, transports);
  };
  return {
    publisher: await open(),
    viewer: await open(),
    producers,
    close: async () => {
      await browser.close();
      http.close();
    },
  };
}
