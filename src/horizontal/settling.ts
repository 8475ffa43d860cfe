/** The time in which nodes are waited for that have not answered yet, and other things that must be known first. */
import { within } from '../core/within.ts';

export class Settling {
  readonly #onOver: () => void;
  readonly #waitedFor = new Set<object>();
  readonly #waiting = new Set<() => void>();
  /** Whether it has been over before. */
  #wasOver = false;

  /** @param onOver called each time that nothing is waited for any more */
  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  get isOver(): boolean {
    return this.#waitedFor.size === 0;
  }

  /** Waits for something, until {@link done}. */
  add(waitedFor: object): void {
    this.#waitedFor.add(waitedFor);
  }

  /** Waits for the promise, for a limited time in ms. */
  after(promise: Promise<void>, timeoutMs: number): void {
    this.add(promise);
    void within(promise, timeoutMs).then(() => this.done(promise));
  }

  /** Does not wait for it any longer. Ignored if it was not waited for. */
  done(waitedFor: object): void {
    if (!this.#waitedFor.delete(waitedFor) || !this.isOver) return;
    this.#wasOver = true;
    this.#onOver();
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /**
   * Resolves when nothing is waited for.
   * @param isDispensable returns whether that is not needed, if it has been so before
   */
  async untilOver(isDispensable: () => boolean): Promise<void> {
    this.#wasOver ||= this.isOver;
    if (this.isOver || (this.#wasOver && isDispensable())) return;
    await new Promise<void>(resolve => this.#waiting.add(resolve));
  }
}
