/**
 * Goodbye to the servers at the end of this process. An application that knows nothing of servers does not close its
 * Workers there, which would stay, with their ports, until the session times out.
 */
import { logger } from '../core/logger.ts';

const log = logger('module');

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Goodbye {
  readonly #send: () => Promise<void>;

  /** @param send sends the goodbye; it must do so synchronously, since a process that exits waits for nothing */
  constructor(send: () => Promise<void>) {
    this.#send = send;
    process.on('exit', this.#onExit);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  /** Removes all handlers. */
  dispose(): void {
    process.off('exit', this.#onExit);
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  readonly #onExit = (): void => void this.#send().catch(error => log.warn('%o', error));

  /**
   * Leaves the signal to an application that handles it itself; else repeats it after the goodbye, with its usual
   * effect.
   */
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    const end = (): void => {
      this.dispose();
      process.kill(process.pid, signal);
    };
    this.#send().then(end, end);
  };
}
