/**
 * Tells the clients that have asked for it which MafaldaRouters a Mafalda holds: all of them at first, and then what
 * changes.
 */
import type { HeldRooms } from '../../core/heldRooms.ts';
import type { ServerMessage } from '../protocol/messages.ts';
import type { Member } from './exportedObject.ts';
import type { SendableTree, TreeSender } from './treeSender.ts';

/** Maximum numbers of ids, and of their characters, in one message; a single id may be longer. */
const MAX_IDS = 500;
const MAX_CHARACTERS = 32_768;

interface Follower {
  readonly sender: Pick<TreeSender, 'send'>;
  /** Ids that are still to be listed; undefined when all are. */
  remaining: Iterator<string> | undefined;
  isFirst: boolean;
  /** Whether it waits for the list to be known. */
  isWaiting: boolean;
}

export class RoomTeller implements SendableTree {
  readonly #follow: () => HeldRooms;
  #rooms: HeldRooms | undefined;
  readonly #followers = new Map<Member, Follower>();
  /** MafaldaRouters that have changed since the last batch. */
  readonly #changed = new Set<string>();
  #batch: NodeJS.Immediate | undefined;

  /** @param follow is called when the first client asks */
  constructor(follow: () => HeldRooms) {
    this.#follow = follow;
  }

  /**
   * Sends the list of all, and from then on what changes. A member that follows already gets the list again.
   * @param sender sends the list, as fast as the member can follow
   */
  add(member: Member, sender: Pick<TreeSender, 'send'>): void {
    // A member that asks again and again waits once.
    if (this.#followers.get(member)?.isWaiting) return;
    const rooms = (this.#rooms ??= this.#follow());
    if (this.#followers.size === 0) rooms.on('held', this.#onChange).on('released', this.#onChange);
    const follower: Follower = { sender, remaining: undefined, isFirst: true, isWaiting: true };
    this.#followers.set(member, follower);
    // A Mafalda with nodes knows nothing before they have told it.
    void rooms.known.then(() => {
      follower.isWaiting = false;
      return this.list(member);
    });
  }

  /** Sends the list of all to a member, if it follows. Resolves when that has been sent, or has been stopped. */
  async list(member: Member): Promise<void> {
    const follower = this.#followers.get(member);
    if (!follower || !this.#rooms) return;
    follower.remaining = this.#rooms[Symbol.iterator]();
    follower.isFirst = true;
    await follower.sender.send(this);
  }

  /** Sends the next part of the list. What changes while it is sent is told on the way. */
  sendNext(member: Member): boolean {
    const follower = this.#followers.get(member);
    if (!follower?.remaining) return false;
    const { remaining, isFirst } = follower;
    const { ids, isLast } = takeSome(remaining);
    if (isLast) follower.remaining = undefined;
    follower.isFirst = false;
    member.send({ type: 'heldRooms', ids, isFirst, isLast });
    return true;
  }

  delete(member: Member): void {
    if (!this.#followers.delete(member) || this.#followers.size > 0) return;
    this.#rooms?.off('held', this.#onChange).off('released', this.#onChange);
    clearImmediate(this.#batch);
    this.#batch = undefined;
    this.#changed.clear();
  }

  readonly #onChange = (id: string): void => {
    this.#changed.add(id);
    // All that changes in one turn is one message: a burst costs each client no more.
    this.#batch ??= setImmediate(() => this.#tell());
  };

  #tell(): void {
    this.#batch = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    const isHeld = (id: string): boolean => this.#rooms?.has(id) === true;
    this.#send('held', changed.filter(isHeld));
    this.#send(
      'released',
      changed.filter(id => !isHeld(id)),
    );
  }

  #send(type: 'held' | 'released', all: string[]): void {
    const remaining = all.values();
    for (let left = all.length; left > 0;) {
      const { ids } = takeSome(remaining);
      left -= ids.length;
      const message: ServerMessage = { type, ids };
      for (const member of this.#followers.keys()) member.send(message);
    }
  }
}

/** Takes as many ids as one message has. */
function takeSome(remaining: Iterator<string>): { ids: string[]; isLast: boolean } {
  const ids: string[] = [];
  let characters = 0;
  while (ids.length < MAX_IDS && characters < MAX_CHARACTERS) {
    const next = remaining.next();
    if (next.done === true) return { ids, isLast: true };
    ids.push(next.value);
    characters += next.value.length;
  }
  return { ids, isLast: false };
}
