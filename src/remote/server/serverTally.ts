/** Counts of a server since its start, for metrics. */
import type { CallObserver, SessionEnd } from '../../api/statistics.ts';
import { LimitError, NodeDrainingError, NodeFullError } from '../../api/errors.ts';
import { Tally } from '../../core/tally.ts';

/** The server's own refusals by their first words; an auth function has words of its own. */
const reasonsByWords = {
  incompatible: 'incompatible',
  malformed: 'malformed',
  full: 'clients',
  unavailable: 'unavailable',
  closing: 'closing',
  'another client': 'replaced',
};

export class ServerTally {
  begun = 0;
  resumed = 0;
  snapshots = 0;
  eventsLeftOut = 0;
  readonly ended = new Tally<SessionEnd>();
  readonly refusals = new Tally<string>();
  /** Observer of calls; undefined while nobody measures them, which costs nothing then. */
  onCall: CallObserver | undefined;

  /** Counts a client that was not let in. */
  refusedConnection({ message }: Error): void {
    const known = Object.entries(reasonsByWords).find(([words]) => message.startsWith(words));
    this.refusals.add(known?.[1] ?? 'unauthorized');
  }

  /** Counts a failed call, if the server has refused it rather than failed. */
  failedCall(error: unknown): void {
    if (error instanceof LimitError) this.refusals.add(error.limit);
    else if (error instanceof NodeFullError) this.refusals.add('maxLoad');
    else if (error instanceof NodeDrainingError) this.refusals.add('draining');
  }
}
