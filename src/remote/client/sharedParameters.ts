/**
 * Sharing of equal parts of RTP parameters: those of one kind differ in a few numbers, while their lists of codecs and
 * header extensions are the same, and take most of a mirror's memory. Sharing is safe, since nothing changes a mirror's
 * state in place, and reading it returns a copy.
 */
import { isSameData } from '../../core/copies.ts';
import type { Changes } from '../protocol/messages.ts';

/** Number of known lists: enough for audio and video, with and without RTX, produced and consumed. */
const MAX_KNOWN = 16;

const parameters = ['rtpParameters', 'consumableRtpParameters'];
const lists = ['codecs', 'headerExtensions'];

export class SharedParameters {
  /** Known lists, the most recently used first. */
  readonly #known: unknown[] = [];

  /** Replaces lists by equal known lists. @param state decoded, and not referenced elsewhere */
  share(state: Changes): void {
    for (const name of parameters) {
      const value = state[name];
      if (typeof value !== 'object' || value === null) continue;
      const members = value as Record<string, unknown>;
      for (const list of lists) if (Array.isArray(members[list])) members[list] = this.#shared(members[list]);
    }
  }

  #shared(list: unknown): unknown {
    // A list that the server refers to is shared already.
    if (Object.isFrozen(list)) return list;
    const known = this.#known;
    const index = known.findIndex(other => isSameData(other, list));
    const shared = index < 0 ? list : known[index];
    if (index === 0) return shared;
    if (index > 0) known.splice(index, 1);
    else if (known.length === MAX_KNOWN) known.pop();
    known.unshift(shared);
    return shared;
  }
}
