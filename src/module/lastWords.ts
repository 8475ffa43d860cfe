/**
 * Tells servers that this process ends. An application that knows nothing of servers does not do it, and its Workers there, with
 * their ports, would stay until they take it for lost.
 */
import { logger } from '../core/logger.ts';

const log = logger('module');

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class LastWords {
  readonly #say: () => Promise<void>;

  /** @param say what is to be said: begun synchronously, since a process that exits waits for nothing */
  constructor(say: () => Promise<void>) {
    this.#say = say;
    process.on('exit', this.#onExit);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  /** Nothing is left to be said. */
  dispose(): void {
    process.off('exit', this.#onExit);
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  readonly #onExit = (): void => void this.#say().catch(error => log('%o', error));

  /** An application that handles the signal itself decides whether it ends. Where none does, the signal does what it would do without us. */
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    const end = (): void => {
      this.dispose();
      process.kill(process.pid, signal);
    };
    this.#say().then(end, end);
  };
}
