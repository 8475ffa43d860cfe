/** A person who uses the example's page, in a browser of their own. */
import type { Browser, BrowserContext, Page } from 'playwright-core';

/** What a person's browser has decoded since the page was opened. */
export interface Received {
  frames: number;
  audioSamples: number;
  audioEnergy: number;
}

/** The page keeps its connections to itself; their statistics are the proof of what arrives. */
const recordConnections = `
  globalThis.connections = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      connections.push(this);
    }
  };`;

const sumUpReceived = `(async () => {
  const received = { frames: 0, audioSamples: 0, audioEnergy: 0 };
  const reports = await Promise.all(connections.map(connection => connection.getStats()));
  for (const stats of reports.flatMap(report => [...report.values()])) {
    if (stats.type !== 'inbound-rtp') continue;
    received.frames += stats.framesDecoded ?? 0;
    received.audioSamples += stats.totalSamplesReceived ?? 0;
    received.audioEnergy += stats.totalAudioEnergy ?? 0;
  }
  return received;
})()`;

export class Person {
  readonly name: string;
  readonly page: Page;
  readonly #context: BrowserContext;

  static async join(browser: Browser, url: string, room: string, name: string): Promise<Person> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(recordConnections);
    await page.goto(`${url}?${new URLSearchParams({ room, name }).toString()}`);
    return new Person(name, page, context);
  }

  private constructor(name: string, page: Page, context: BrowserContext) {
    this.name = name;
    this.page = page;
    this.#context = context;
  }

  /** The way of somebody's media, as the page shows it: waits until it does. */
  pathOf(person: Person | string): Promise<string> {
    const name = typeof person === 'string' ? person : person.name;
    return this.page.locator(`[data-peer="${name}"] .path`, { hasText: 'server' }).innerText();
  }

  async names(): Promise<string[]> {
    return (await this.page.locator('.tile .name').allInnerTexts()).sort();
  }

  received(): Promise<Received> {
    return this.page.evaluate<Received>(sumUpReceived);
  }

  leave(): Promise<void> {
    return this.#context.close();
  }
}
