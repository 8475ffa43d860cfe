/** Exit codes of all commands. */
export const EXIT = {
  /** All is well. */
  ok: 0,
  /** The command could not do its work, or has found a problem. */
  failed: 1,
  /** The command was called wrongly. */
  usage: 2,
  /** The deadline has passed, and something is left. */
  left: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
