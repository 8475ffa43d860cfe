/**
 * Report of a cluster's start: `connected` when every node has answered or can't be reached at present, and only then
 * the errors of nodes, since `once(mafalda, 'connected')` rejects with an earlier `error`, and a single node that
 * refuses this client must not cause that.
 */
export interface StartReportOptions {
  onConnected: () => void;
  /** Returns the reason why no node can be used; undefined if one can, or there is none. */
  unavailability: () => Error | undefined;
  hasErrorListener: () => boolean;
  reportError: (error: Error) => void;
}

export class StartReport {
  readonly #options: StartReportOptions;
  readonly #earlyErrors: Error[] = [];
  #wasSettled = false;

  constructor(options: StartReportOptions) {
    this.#options = options;
  }

  /** Reports an error of a node, or of the directory, when its time has come. */
  error(error: Error): void {
    if (this.#wasSettled) this.#options.reportError(error);
    else this.#earlyErrors.push(error);
  }

  /** Must be called when every node has answered, or can't be reached at present. */
  settled(): void {
    const { onConnected, unavailability, hasErrorListener, reportError } = this.#options;
    this.#wasSettled = true;
    onConnected();
    for (const error of this.#earlyErrors.splice(0)) reportError(error);
    // An application that has waited for `connected` would otherwise learn it from its first failed call.
    const unusable = unavailability();
    if (!unusable) return;
    if (hasErrorListener()) reportError(unusable);
    else process.emitWarning(unusable.message, { code: 'MAFALDA_NO_NODE' });
  }
}
