/**
 * Decides which events a client does without that can't keep up: media that would be outdated on arrival, where there
 * is much of it, and data before it takes the place of everything else. Answers to calls would wait behind them, until
 * they come too late.
 */
import { logger } from '../../core/logger.ts';
import { lossyEvents } from '../protocol/classes.ts';
import type { MemoryAccount } from '../protocol/memory.ts';
import type { Session } from '../protocol/session.ts';
import type { ServerTally } from './serverTally.ts';

const log = logger('server');

/** Lag of the client, in ms, from which on media is outdated: more than an acknowledgement ever takes by itself. */
const OUTDATED_MS = 1000;
/** Shares of its memory, and of the messages that may wait for it, from which on no lossy event is added. */
const FULL = { memory: 1 / 4, messages: 3 / 4 };
/** The same shares from which on a client that lags behind gets no media: what waits below that is soon dealt with. */
const MUCH = { memory: 1 / 32, messages: 1 / 10 };

/** Packets of media. Data, in contrast, is awaited for as long as it can be kept. */
const media: ReadonlySet<string> = new Set(['rtp', 'rtcp']);

/** How far the client is behind. */
type Behind = Pick<Session<never, never>, 'lagMs' | 'backlog'>;

export class SlowClient {
  readonly #session: Behind;
  readonly #memory: MemoryAccount;
  readonly #tally: ServerTally;
  #isKnown = false;

  constructor(session: Behind, memory: MemoryAccount, tally: ServerTally) {
    this.#session = session;
    this.#memory = memory;
    this.#tally = tally;
  }

  /** Whether the client gets no event of this name now, which then counts as left out. */
  leavesOut(event: string): boolean {
    if (!lossyEvents.has(event) || !(this.#hasMoreThan(FULL) || (media.has(event) && this.#isBehind))) return false;
    ++this.#tally.eventsLeftOut;
    if (!this.#isKnown) log.warn('a client is too slow for all %s events: some are left out', event);
    this.#isKnown = true;
    return true;
  }

  get #isBehind(): boolean {
    return this.#hasMoreThan(MUCH) && this.#session.lagMs > OUTDATED_MS;
  }

  #hasMoreThan({ memory, messages }: typeof FULL): boolean {
    return this.#memory.bytes > memory * this.#memory.max || this.#session.backlog > messages;
  }
}
