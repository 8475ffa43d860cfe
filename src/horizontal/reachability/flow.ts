/** Whether what one end of a link sends arrives at the other: told by how many bytes have gone through each end, from time to time. */
import type { EndBytes } from './linkTable.ts';

/**
 * So often in a row nothing has arrived though something was sent. Once may be a packet on its way: an end says what it has sent in the
 * same moment in which the other one says what it has received.
 */
const MISSES = 2;

class Direction {
  #sent = 0;
  #received = 0;
  #misses = 0;

  /** @returns whether nothing arrives */
  observe(sent: number, received: number): boolean {
    if (received > this.#received) this.#misses = 0;
    else if (sent > this.#sent) ++this.#misses;
    [this.#sent, this.#received] = [sent, received];
    return this.#misses >= MISSES;
  }
}

/** Of a link, from its first packet on. */
export class Flow {
  readonly #there = new Direction();
  readonly #back = new Direction();

  /** @returns in which direction nothing arrives, if there is one */
  observe(near: EndBytes, far: EndBytes): 'there' | 'back' | undefined {
    const [there, back] = [this.#there.observe(near.sent, far.received), this.#back.observe(far.sent, near.received)];
    return there ? 'there' : back ? 'back' : undefined;
  }
}
