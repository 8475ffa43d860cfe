/** Subject of the comparison: one of the ways to have many media servers, with the processes that do its work. */
import type { Subject } from '../remote/subject.ts';

export interface Peer extends Subject {
  /** Version of what is measured, as its package tells it. */
  readonly version: string;
  /** Ids of the processes that do the work, without this one and without their children. */
  readonly pids: readonly number[];
  /** Asks the first server for its load; missing if that can't be asked for. */
  readonly loadReport?: () => Promise<unknown>;
}
