/**
 * Ends of what has come from a server, in turns with other work: it may be much. One thing ends after the other, in the
 * order in which they have begun.
 */
import { logger } from '../../core/logger.ts';
import { turns } from '../../core/turns.ts';

const log = logger('client');

export class Endings {
  #last: Promise<void> | undefined;

  /** Resolves when all that has begun to end has ended; undefined if it has. */
  get ended(): Promise<void> | undefined {
    return this.#last;
  }

  /**
   * Takes the steps by which something ends, after those of what ends already.
   * @returns promise that resolves when it has ended, and never rejects; undefined if it has ended
   */
  begin(steps: Iterator<void, void>): Promise<void> | undefined {
    const ended = this.#last ? this.#last.then(() => turns.begin(steps)) : turns.begin(steps);
    const ending = ended
      ?.catch(error => log.error('%o', error))
      .then(() => {
        if (this.#last === ending) this.#last = undefined;
      });
    return (this.#last = ending);
  }
}
