/** Clients that have lost contact to the other end of a link, for the links of one MafaldaRouter. */
import { SILENT_MS } from '../../piping/links/leftLinks.ts';
import type { Member } from './exportedObject.ts';

/** Number of links that are remembered, more than a MafaldaRouter has; a client could name any number of links. */
const MAX_LINKS = 10_000;

/** End of a link, by the ids of the two Routers. */
export interface LostLink {
  readonly routerId: string;
  readonly remoteRouterId: string;
}

/** Agreement of a MafaldaRouter's clients on a link. */
export interface Agreement {
  /** Whether all of them have lost contact. */
  readonly isLast: boolean;
  /** Whether those have that are connected: a client that is away may be the lost one itself. */
  readonly isDead: boolean;
}

interface Words {
  readonly link: LostLink;
  /** Times at which clients have told of the loss, in ms. */
  readonly times: Map<Member, number>;
}

export class LostLinks {
  readonly #byLink = new Map<string, Words>();
  readonly #now: () => number;

  /** @param now returns milliseconds, from any moment on */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Records a client that has lost contact. */
  add(member: Member, link: LostLink, all: ReadonlySet<Member>): Agreement {
    const key = `${link.routerId} ${link.remoteRouterId}`;
    const words = this.#byLink.get(key) ?? { link, times: new Map<Member, number>() };
    words.times.set(member, this.#now());
    if (this.#byLink.size < MAX_LINKS) this.#byLink.set(key, words);
    const isLast = this.#agree(words, all);
    if (isLast) this.#byLink.delete(key);
    return { isLast, isDead: isLast || this.#agree(words, connected(all)) };
  }

  /** Returns the links to which all connected clients have lost contact. To be asked when a client has gone. */
  lost(all: ReadonlySet<Member>): LostLink[] {
    const here = connected(all);
    return [...this.#byLink.values()].filter(words => this.#agree(words, here)).map(({ link }) => link);
  }

  forget(member: Member): void {
    for (const [key, { times }] of this.#byLink) if (times.delete(member) && times.size === 0) this.#byLink.delete(key);
  }

  /** A link that is open after the time of the watch has had packets, which have refuted an old word. */
  #agree({ times }: Words, members: ReadonlySet<Member>): boolean {
    const since = this.#now() - SILENT_MS;
    return members.size > 0 && [...members].every(member => (times.get(member) ?? -Infinity) > since);
  }
}

function connected(members: ReadonlySet<Member>): ReadonlySet<Member> {
  return new Set([...members].filter(member => member.connected));
}
