/**
 * RTP parameters of one kind, of all that a server has, differ in a few numbers: their lists of codecs and header extensions are the same again and again, and most of
 * what a mirror takes. So mirrors share them. Nothing changes a mirror's state in place, and what is read of it is a copy.
 */
import { isSameData } from '../../core/copies.ts';
import type { Changes } from '../protocol/messages.ts';

/** Audio and video, with RTX and without, as produced and as consumed. */
const MAX_KNOWN = 16;

const parameters = ['rtpParameters', 'consumableRtpParameters'];
const lists = ['codecs', 'headerExtensions'];

export class SharedParameters {
  /** The one that was met last is the first. */
  readonly #known: unknown[] = [];

  /** Puts lists that are known in the place of equal ones. @param state decoded, and nobody else's */
  share(state: Changes): void {
    for (const name of parameters) {
      const value = state[name];
      if (typeof value !== 'object' || value === null) continue;
      const members = value as Record<string, unknown>;
      for (const list of lists) if (Array.isArray(members[list])) members[list] = this.#shared(members[list]);
    }
  }

  #shared(list: unknown): unknown {
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
