/** Whether a server is being drained by its operator, and the waiting for its clients' objects to go. */

export class Draining {
  readonly #isEmpty: () => boolean;
  readonly #onChange: () => void;
  readonly #waiting = new Set<() => void>();
  #isOn = false;

  /**
   * @param isEmpty returns whether nothing of clients' is left
   * @param onChange called when draining begins or ends
   */
  constructor(isEmpty: () => boolean, onChange: () => void) {
    this.#isEmpty = isEmpty;
    this.#onChange = onChange;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  begin(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#onChange();
  }

  end(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.stopWaiting();
    this.#onChange();
  }

  /** To be called when an object has gone. */
  objectGone(): void {
    if (this.#waiting.size > 0 && this.#isEmpty()) this.stopWaiting();
  }

  /**
   * Resolves when nothing is left, or draining has ended, or the deadline has passed.
   * @param deadline in ms; default: none
   */
  async untilEmpty(deadline: number | undefined): Promise<void> {
    if (!this.#isOn || this.#isEmpty()) return;
    await new Promise<void>(resolve => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(finish);
        resolve();
      };
      const timer = deadline === undefined ? undefined : setTimeout(finish, deadline);
      this.#waiting.add(finish);
    });
  }

  /** Ends the waiting for an empty server. */
  stopWaiting(): void {
    for (const finish of [...this.#waiting]) finish();
  }
}
