/**
 * Decisions on where something goes: counted by their reasons for metrics, and each written as one structured line
 * (`DEBUG=mafalda:placement,mafalda:piping`).
 */
import { logger, type LogFacts, type Logger } from './logger.ts';
import { Tally } from './tally.ts';

export class Decisions<Reason extends string> {
  readonly #log: Logger;
  readonly #tally = new Tally<Reason>();

  /** @param name of the logger */
  constructor(name: string) {
    this.#log = logger(name);
  }

  /** Counts by reason, since the start. */
  get counts(): Partial<Record<Reason, number>> {
    return this.#tally.counts;
  }

  /** @param facts such as the room, the node, and the time that it has taken, in ms */
  note(reason: Reason, facts: LogFacts): void {
    this.#tally.add(reason);
    this.#log.facts({ ...facts, reason });
  }
}
