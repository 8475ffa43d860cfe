/** A table that grows by a line whenever something has changed: the servers, what they do, and how many participants there are. */
import type { MafaldaHorizontal } from 'mafalda-horizontal';
import type { Autoscaler } from 'mafalda-horizontal/autoscale';

const INTERVAL_MS = 250;
const COLUMN = 24;

export class LiveTable {
  readonly #autoscaler: Autoscaler;
  readonly #participants: () => number;
  readonly #began = Date.now();
  readonly #timer: NodeJS.Timeout;
  /** Servers in the order in which they have come. */
  readonly #columns: string[] = [];
  #latest = '';

  constructor(mafalda: MafaldaHorizontal, autoscaler: Autoscaler, participants: () => number) {
    this.#autoscaler = autoscaler;
    this.#participants = participants;
    console.log(`A server is full at ${mafalda.watermarkNode} % of its machine.\n`);
    console.log('    s  participants  wanted  servers');
    this.#timer = setInterval(() => this.#show(), INTERVAL_MS);
  }

  say(what: string): void {
    this.#show();
    console.log(`${this.#seconds}  ${what}`);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  get #seconds(): string {
    return ((Date.now() - this.#began) / 1000).toFixed(1).padStart(5);
  }

  #show(): void {
    const { servers, wanted } = this.#autoscaler;
    for (const { id } of servers) if (!this.#columns.includes(id) && !id.startsWith('order')) this.#columns.push(id);
    const ordered = servers.filter(({ id }) => id.startsWith('order')).length;
    const cells = this.#columns.map((id, index) => {
      const server = servers.find(other => other.id === id);
      if (!server) return `${index + 1}: stopped`;
      return `${index + 1}: ${server.phase}${server.phase === 'running' ? ` ${'█'.repeat(Math.ceil(server.load / 2))}` : ''}`;
    });
    if (ordered > 0) cells.push(`+ ${ordered} ordered`);
    const line = [
      String(this.#participants()).padStart(12),
      String(wanted).padStart(6),
      cells.map(cell => cell.slice(0, COLUMN).padEnd(COLUMN)).join(''),
    ].join('  ');
    if (line === this.#latest) return;
    this.#latest = line;
    console.log(`${this.#seconds}  ${line}`);
  }
}
