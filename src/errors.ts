/** Errors of this library, for applications that need nothing else of it. */
export {
  CallTimeoutError,
  ClosedError,
  DuplicateIdError,
  IncompatibleError,
  LimitError,
  MafaldaError,
  NodeDrainingError,
  NodeFullError,
  NodeUnavailableError,
  ProvisionError,
  RefusedError,
  WorkerBudgetError,
  type MafaldaErrorCode,
} from './api/errors.ts';
