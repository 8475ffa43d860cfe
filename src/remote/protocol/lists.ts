/**
 * Lists of codecs, header extensions and fingerprints are most of what objects tell of themselves, and many objects have the
 * same ones. So a server tells each of them once in a session, in a message of its own (`list`), and refers to it from
 * then on by `{ $list: slot }`. This is done for clients that say in their credentials that they understand it.
 */
import { isSameData } from '../../core/copies.ts';
import { decode } from './codec.ts';
import { deepFreeze } from './deepFreeze.ts';
import type { Changes, ServerMessage } from './messages.ts';

/** Number of lists that a server refers to, and that a client keeps. */
export const LIST_SLOTS = 128;
/** Lengths as JSON, in characters, of lists that are worth a message of their own, and no burden to a client. */
const MIN_LENGTH = 60;
const MAX_LENGTH = 8192;
/** Limit of the bytes of such a message at a client, as it is measured. */
const MAX_BYTES = 4 * MAX_LENGTH;
/** Number of lists that are remembered since they were told once. */
const MAX_SEEN = 256;
/** Number of lists that each list is compared with: those of a few kinds of participants. */
const LATEST = 4;

const REFERENCE = '$list';

/** Members of properties that are such lists. */
const listed: readonly (readonly [property: string, members: readonly string[]])[] = [
  ['rtpParameters', ['codecs', 'headerExtensions']],
  ['consumableRtpParameters', ['codecs', 'headerExtensions']],
  ['dtlsParameters', ['fingerprints']],
];

export type ListMessage = Extract<ServerMessage, { type: 'list' }>;
export type AddMessage = Extract<ServerMessage, { type: 'add' }>;
type Members = Record<string, unknown>;

interface Referred {
  readonly message: ListMessage;
  /** Whether it was needed since others have taken the places of lists. */
  isUsed: boolean;
  /** Whether another list has taken its place. */
  isGone: boolean;
}

export function isListSlot(slot: unknown): slot is number {
  return Number.isInteger(slot) && (slot as number) >= 0 && (slot as number) < LIST_SLOTS;
}

/** The server's side: the lists that it refers to, for all of its sessions. */
export class ReferredLists {
  readonly #messages = new Map<string, Referred>();
  /** Lists that were needed last, by where they were: to compare one takes a fraction of the time to write it. */
  readonly #latest = new Map<string, Referred[]>();
  /** JSON of lists that were told once: most of those that come twice come often. */
  readonly #seen = new Set<string>();

  /**
   * Puts references in the places of lists.
   * @param state encoded; its properties are replaced, not changed
   * @returns the messages that tell the lists
   */
  shorten(state: Changes): ListMessage[] {
    const used: ListMessage[] = [];
    for (const [property, members] of listed) {
      const value = state[property];
      if (!isObject(value)) continue;
      let shortened: Members | undefined;
      for (const member of members) {
        const list = value[member];
        const message = Array.isArray(list) && list.length > 0 ? this.#find(property + member, list, used) : undefined;
        if (!message) continue;
        shortened ??= { ...value };
        shortened[member] = { [REFERENCE]: message.slot };
        used.push(message);
      }
      if (shortened) state[property] = shortened;
    }
    return used;
  }

  /**
   * @param where the list is
   * @param used messages to which the same state refers, and which keep their slots
   */
  #find(where: string, list: unknown[], used: readonly ListMessage[]): ListMessage | undefined {
    const latest = this.#latest.get(where) ?? [];
    const found = latest.find(({ message, isGone }) => !isGone && isSameData(message.list, list));
    if (found) {
      found.isUsed = true;
      return found.message;
    }
    const referred = this.#referred(list, used);
    if (referred) this.#latest.set(where, [referred, ...latest.slice(0, LATEST - 1)]);
    return referred?.message;
  }

  #referred(list: unknown[], used: readonly ListMessage[]): Referred | undefined {
    const text = JSON.stringify(list);
    const known = this.#messages.get(text);
    if (known) {
      known.isUsed = true;
      return known;
    }
    if (text.length < MIN_LENGTH || text.length > MAX_LENGTH) return undefined;
    if (!this.#seen.delete(text)) {
      if (this.#seen.size >= MAX_SEEN) this.#seen.clear();
      this.#seen.add(text);
      return undefined;
    }
    const message: ListMessage = { type: 'list', slot: this.#freeSlot(used), list };
    const referred: Referred = { message, isUsed: false, isGone: false };
    this.#messages.set(text, referred);
    return referred;
  }

  /** Returns a slot, if need be that of a list which was not needed since others have taken the places of lists. */
  #freeSlot(used: readonly ListMessage[]): number {
    if (this.#messages.size < LIST_SLOTS) return this.#messages.size;
    for (const [text, known] of this.#messages) {
      this.#messages.delete(text);
      if (!known.isUsed && !used.includes(known.message)) {
        known.isGone = true;
        return known.message.slot;
      }
      known.isUsed = false;
      // Iteration comes to it again, at the end.
      this.#messages.set(text, known);
    }
    throw new Error('unreachable: all but a few lists are passed over once');
  }
}

/** Lists that one session has been told. */
export class ToldLists {
  readonly #bySlot = new Map<number, ListMessage>();

  /** @returns whether the list is still to be told: it is taken for told from now on */
  note(message: ListMessage): boolean {
    if (this.#bySlot.get(message.slot) === message) return false;
    this.#bySlot.set(message.slot, message);
    return true;
  }

  clear(): void {
    this.#bySlot.clear();
  }
}

/** Returns the message without references, for a client that does not understand them. */
export function inFull({ type, mafaldaRouter, addition }: AddMessage, lists: readonly ListMessage[]): AddMessage {
  const state = { ...addition.state };
  const listOf = (slot: unknown): unknown => lists.find(list => list.slot === slot)?.list;
  replaceReferences(state, listOf, value => ({ ...value }));
  // A message of its own: the JSON that the other one has is not what it says.
  return { type, mafaldaRouter, addition: { ...addition, state } };
}

/** The client's side: the lists that a server has told. */
export class KnownLists {
  readonly #bySlot = new Map<number, readonly unknown[]>();

  /** @param bytes of the message @throws {TypeError} for a list that is too large, or can't be decoded */
  remember(slot: number, list: unknown[], bytes: number): void {
    if (bytes > MAX_BYTES) throw new TypeError(`a list of more than ${MAX_BYTES} bytes`);
    this.#bySlot.set(slot, deepFreeze(decode(list, () => undefined) as unknown[]));
  }

  /**
   * Puts the lists in the places of references. They are frozen, which marks them as decoded, and as shared.
   * @param state as it has arrived; it is changed
   * @throws {TypeError} for a reference to a list that was never told
   */
  complete(state: Changes): void {
    replaceReferences(
      state,
      slot => this.#bySlot.get(slot as number),
      value => value,
    );
  }

  clear(): void {
    this.#bySlot.clear();
  }
}

/** @param own returns an object that may be changed, for a property that has references */
function replaceReferences(state: Changes, listOf: (slot: unknown) => unknown, own: (value: Members) => Members): void {
  for (const [property, members] of listed) {
    const value = state[property];
    if (!isObject(value)) continue;
    for (const member of members) {
      const reference = value[member];
      if (!isObject(reference) || !Object.hasOwn(reference, REFERENCE)) continue;
      const list = listOf(reference[REFERENCE]);
      if (!list) throw new TypeError(`a reference to a list that was never told (${String(reference[REFERENCE])})`);
      const changed = own(state[property] as Members);
      changed[member] = list;
      state[property] = changed;
    }
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}
