/**
 * Errors of this library, as classes that an application can distinguish; errors of mediasoup keep mediasoup's classes.
 * Each class has a `code`, which survives any number of wires, and is the same in a second copy of this module.
 */

/**
 * Base of the errors of this library.
 *
 * ```ts
 * if (error instanceof MafaldaError) console.error(error.code, error.message);
 * ```
 */
export abstract class MafaldaError extends Error {
  /** Name of the class. */
  abstract override readonly name: string;
  /** Stable code of the class: `ERR_MAFALDA_…`. */
  abstract readonly code: string;
}

/**
 * Thrown when no node, or not the requested node, can be used at present.
 *
 * ```ts
 * if (error instanceof NodeUnavailableError)
 *   for (const [url, cause] of Object.entries(error.causes)) console.error(url, cause.message);
 * ```
 */
export class NodeUnavailableError extends MafaldaError {
  override readonly name = 'NodeUnavailableError';
  readonly code = 'ERR_MAFALDA_NODE_UNAVAILABLE';
  /** Id of the requested node, if the call named a node. */
  readonly node: string | undefined;
  /** Reason of each node that can't be used, by its URL or id; empty if none is known. */
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

/**
 * Thrown when the requested node, or every node, is being drained, and takes nothing new.
 *
 * ```ts
 * if (error instanceof NodeDrainingError) await router.createWebRtcTransport(); // on any other node
 * ```
 */
export class NodeDrainingError extends MafaldaError {
  override readonly name = 'NodeDrainingError';
  readonly code = 'ERR_MAFALDA_NODE_DRAINING';
  /** Id of the requested node, if the call named a node. */
  readonly node: string | undefined;

  constructor(message: string, { node }: { node?: string } = {}) {
    super(message);
    this.node = node;
  }
}

/**
 * Thrown when the load of the requested node, or of every node, is such that its server takes nothing new.
 *
 * ```ts
 * if (error instanceof NodeFullError) console.warn(`at ${error.load} % of ${error.maxLoad} %: add a server`);
 * ```
 */
export class NodeFullError extends MafaldaError {
  override readonly name = 'NodeFullError';
  readonly code = 'ERR_MAFALDA_NODE_FULL';
  /** Load of the server, in percent: measured, plus objects that are on their way. */
  readonly load: number;
  /** The server's `maxLoad`, in percent. */
  readonly maxLoad: number;

  constructor(message: string, { load, maxLoad }: { load: number; maxLoad: number }) {
    super(message);
    this.load = load;
    this.maxLoad = maxLoad;
  }
}

/**
 * Thrown when a server's client would exceed a limit of the server or of its own, or a MafaldaRouter a limit of its own.
 *
 * ```ts
 * if (error instanceof LimitError) console.error(`raise ${error.limit}, which is ${error.max}`);
 * ```
 */
export class LimitError extends MafaldaError {
  override readonly name = 'LimitError';
  readonly code = 'ERR_MAFALDA_LIMIT';
  /** Name of the limit, as in the options. */
  readonly limit: string;
  /** Value of the limit. */
  readonly max: number;

  constructor(message: string, { limit, max }: { limit: string; max: number }) {
    super(message);
    this.limit = limit;
    this.max = max;
  }
}

/**
 * Thrown when all Workers that the machine may have exist already.
 *
 * ```ts
 * if (error instanceof WorkerBudgetError) mafaldaHorizontal.add(await startAnotherServer()); // your own function
 * ```
 */
export class WorkerBudgetError extends MafaldaError {
  override readonly name = 'WorkerBudgetError';
  readonly code = 'ERR_MAFALDA_WORKER_BUDGET';
}

/**
 * Thrown when a call was not answered in time: whether the server has performed it, or still will, is not known.
 *
 * ```ts
 * if (error instanceof CallTimeoutError) console.warn(`${error.method}() was not answered`, error.cause);
 * ```
 */
export class CallTimeoutError extends MafaldaError {
  override readonly name = 'CallTimeoutError';
  readonly code = 'ERR_MAFALDA_CALL_TIMEOUT';
  /** Name of the called method. */
  readonly method: string;
  /** The server may have performed the call, or still may. */
  readonly outcome = 'unknown';

  constructor(message: string, { method, cause }: { method: string; cause?: Error }) {
    super(message, cause && { cause });
    this.method = method;
  }
}

/**
 * Thrown when a server does not let this client in, or has cut it off.
 *
 * ```ts
 * client.on('error', error => {
 *   if (error instanceof RefusedError && error.permanent) process.exit(1);
 * });
 * ```
 */
export class RefusedError extends MafaldaError {
  override readonly name = 'RefusedError';
  readonly code = 'ERR_MAFALDA_REFUSED';
  /** Reason that the server has given. */
  readonly reason: string;
  /** Whether another attempt is useless. */
  readonly permanent: boolean;

  constructor(message: string, { reason, permanent }: { reason: string; permanent: boolean }) {
    super(message);
    this.reason = reason;
    this.permanent = permanent;
  }
}

/**
 * Thrown by calls on a closed object, whichever side has closed it: another object has to be made.
 *
 * ```ts
 * if (error instanceof ClosedError) router = mafalda.createMafaldaRouter({ id: room, routerOptions });
 * ```
 */
export class ClosedError extends MafaldaError {
  override readonly name = 'ClosedError';
  readonly code = 'ERR_MAFALDA_CLOSED';
}

/**
 * Thrown for versions that don't work together: of the protocol, or of mediasoup.
 *
 * ```ts
 * if (error instanceof IncompatibleError) console.error('update the server first:', error.message);
 * ```
 */
export class IncompatibleError extends MafaldaError {
  override readonly name = 'IncompatibleError';
  readonly code = 'ERR_MAFALDA_INCOMPATIBLE';
}

/**
 * Tells that a server could not be started or stopped, or that it is not known which servers there are.
 *
 * ```ts
 * autoscaler.on('error', error => {
 *   if (error instanceof ProvisionError) console.error(error.operation, error.id, error.cause);
 * });
 * ```
 */
export class ProvisionError extends MafaldaError {
  override readonly name = 'ProvisionError';
  readonly code = 'ERR_MAFALDA_PROVISION';
  /** Call of the provisioner that has failed. */
  readonly operation: 'start' | 'stop' | 'list';
  /** Id of the server, if it has one. */
  readonly id: string | undefined;

  constructor(
    message: string,
    { operation, id, cause }: { operation: 'start' | 'stop' | 'list'; id?: string; cause?: Error },
  ) {
    super(message, cause && { cause });
    this.operation = operation;
    this.id = id;
  }
}

/**
 * Tells that a Producer or DataProducer of this application has been closed, since there is an older one with the same id:
 * both were made while their machines could not hear of each other.
 *
 * ```ts
 * room.on('error', error => {
 *   if (error instanceof DuplicateIdError) console.error('produce again under another id than', error.id);
 * });
 * ```
 */
export class DuplicateIdError extends MafaldaError {
  override readonly name = 'DuplicateIdError';
  readonly code = 'ERR_MAFALDA_DUPLICATE_ID';
  /** Id of both. */
  readonly id: string;

  constructor(message: string, { id }: { id: string }) {
    super(message);
    this.id = id;
  }
}

/** Codes of the errors of this library. */
export type MafaldaErrorCode =
  | 'ERR_MAFALDA_NODE_UNAVAILABLE'
  | 'ERR_MAFALDA_NODE_DRAINING'
  | 'ERR_MAFALDA_NODE_FULL'
  | 'ERR_MAFALDA_LIMIT'
  | 'ERR_MAFALDA_WORKER_BUDGET'
  | 'ERR_MAFALDA_CALL_TIMEOUT'
  | 'ERR_MAFALDA_REFUSED'
  | 'ERR_MAFALDA_CLOSED'
  | 'ERR_MAFALDA_INCOMPATIBLE'
  | 'ERR_MAFALDA_PROVISION'
  | 'ERR_MAFALDA_DUPLICATE_ID';

/** Error classes by their codes, from which errors that come over a wire are made again. */
export const mafaldaErrors = {
  ERR_MAFALDA_NODE_UNAVAILABLE: NodeUnavailableError,
  ERR_MAFALDA_NODE_DRAINING: NodeDrainingError,
  ERR_MAFALDA_NODE_FULL: NodeFullError,
  ERR_MAFALDA_LIMIT: LimitError,
  ERR_MAFALDA_WORKER_BUDGET: WorkerBudgetError,
  ERR_MAFALDA_CALL_TIMEOUT: CallTimeoutError,
  ERR_MAFALDA_REFUSED: RefusedError,
  ERR_MAFALDA_CLOSED: ClosedError,
  ERR_MAFALDA_INCOMPATIBLE: IncompatibleError,
  ERR_MAFALDA_PROVISION: ProvisionError,
  ERR_MAFALDA_DUPLICATE_ID: DuplicateIdError,
} as const satisfies Record<MafaldaErrorCode, unknown>;
