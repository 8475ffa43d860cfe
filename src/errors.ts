/** The errors of this library, for those who need nothing else of it. */
export {
  CallTimeoutError,
  ClosedError,
  IncompatibleError,
  LimitError,
  MafaldaError,
  NodeDrainingError,
  NodeUnavailableError,
  RefusedError,
  WorkerBudgetError,
  type MafaldaErrorCode,
} from './api/errors.ts';
