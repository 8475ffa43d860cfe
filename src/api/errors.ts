/**
 * What this library refuses, as classes that an application can tell apart; what mediasoup refuses keeps mediasoup's
 * classes. Each has a `code`, which is the same after any number of wires and for those with two copies of this module.
 */

export abstract class MafaldaError extends Error {
  /** Stable: `ERR_MAFALDA_…`. */
  abstract readonly code: string;
}

/** No node, or not the one that was named, can be used at present. */
export class NodeUnavailableError extends MafaldaError {
  override readonly name = 'NodeUnavailableError';
  readonly code = 'ERR_MAFALDA_NODE_UNAVAILABLE';
  /** The id of the node, where one was named. */
  readonly node: string | undefined;
  /** Why each node can't be used, by its URL or id; empty where nothing is known. */
  readonly causes: Readonly<Record<string, Error>>;

  constructor(
    message: string,
    { node, cause, causes = {} }: { node?: string; cause?: Error; causes?: Readonly<Record<string, Error>> } = {},
  ) {
    super(message, cause && { cause });
    this.node = node;
    this.causes = causes;
  }
}

/** The node that was named takes nothing new, since it is being drained; or all nodes are. */
export class NodeDrainingError extends MafaldaError {
  override readonly name = 'NodeDrainingError';
  readonly code = 'ERR_MAFALDA_NODE_DRAINING';
  /** The id of the node, where one was named. */
  readonly node: string | undefined;

  constructor(message: string, { node }: { node?: string } = {}) {
    super(message);
    this.node = node;
  }
}

/** More than a server lets its clients have, or do. */
export class LimitError extends MafaldaError {
  override readonly name = 'LimitError';
  readonly code = 'ERR_MAFALDA_LIMIT';
  /** The name of the limit, as in the options of the server. */
  readonly limit: string;
  readonly max: number;

  constructor(message: string, { limit, max }: { limit: string; max: number }) {
    super(message);
    this.limit = limit;
    this.max = max;
  }
}

/** Every core of the machine has its Worker already. */
export class WorkerBudgetError extends MafaldaError {
  override readonly name = 'WorkerBudgetError';
  readonly code = 'ERR_MAFALDA_WORKER_BUDGET';
}

/** A call that was not answered in time: whether the server has performed it, or still will, is not known. */
export class CallTimeoutError extends MafaldaError {
  override readonly name = 'CallTimeoutError';
  readonly code = 'ERR_MAFALDA_CALL_TIMEOUT';
  readonly method: string;
  readonly outcome = 'unknown';

  constructor(message: string, { method, cause }: { method: string; cause?: Error }) {
    super(message, cause && { cause });
    this.method = method;
  }
}

/** A server does not let this client in, or has cut it off. */
export class RefusedError extends MafaldaError {
  override readonly name = 'RefusedError';
  readonly code = 'ERR_MAFALDA_REFUSED';
  readonly reason: string;
  /** Whether to try again can't help. */
  readonly permanent: boolean;

  constructor(message: string, { reason, permanent }: { reason: string; permanent: boolean }) {
    super(message);
    this.reason = reason;
    this.permanent = permanent;
  }
}

/** What is called is closed, by whom ever: make another one. */
export class ClosedError extends MafaldaError {
  override readonly name = 'ClosedError';
  readonly code = 'ERR_MAFALDA_CLOSED';
}

/** Versions that don't go together: of the protocol, or of mediasoup. */
export class IncompatibleError extends MafaldaError {
  override readonly name = 'IncompatibleError';
  readonly code = 'ERR_MAFALDA_INCOMPATIBLE';
}

export const mafaldaErrors = {
  ERR_MAFALDA_NODE_UNAVAILABLE: NodeUnavailableError,
  ERR_MAFALDA_NODE_DRAINING: NodeDrainingError,
  ERR_MAFALDA_LIMIT: LimitError,
  ERR_MAFALDA_WORKER_BUDGET: WorkerBudgetError,
  ERR_MAFALDA_CALL_TIMEOUT: CallTimeoutError,
  ERR_MAFALDA_REFUSED: RefusedError,
  ERR_MAFALDA_CLOSED: ClosedError,
  ERR_MAFALDA_INCOMPATIBLE: IncompatibleError,
} as const;

export type MafaldaErrorCode = keyof typeof mafaldaErrors;
