/**
 * Detection of packets that don't arrive at the other end of a link, from samples of the bytes that have gone through
 * each end.
 */
import type { EndBytes } from './linkTable.ts';

/**
 * Number of consecutive samples in which nothing has arrived though packets were sent. A single such sample may show
 * packets on their way: both ends report the same moment.
 */
const MISSES = 2;

class Direction {
  #sent = 0;
  #received = 0;
  #misses = 0;

  /**
   * Adds a sample.
   * @returns whether packets don't arrive
   */
  observe(sent: number, received: number): boolean {
    if (received > this.#received) this.#misses = 0;
    else if (sent > this.#sent) ++this.#misses;
    [this.#sent, this.#received] = [sent, received];
    return this.#misses >= MISSES;
  }
}

/** Flow of a link, from its first packet on. */
export class Flow {
  readonly #there = new Direction();
  readonly #back = new Direction();

  /**
   * Adds a sample of both ends.
   * @returns the direction in which packets don't arrive, if there is one
   */
  observe(near: EndBytes, far: EndBytes): 'there' | 'back' | undefined {
    const [there, back] = [this.#there.observe(near.sent, far.received), this.#back.observe(far.sent, near.received)];
    return there ? 'there' : back ? 'back' : undefined;
  }
}
