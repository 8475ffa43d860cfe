/** Exit codes of all commands. */
export const EXIT = { ok: 0, failed: 1, usage: 2, left: 3 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Meanings of the exit codes, for the help and for the reference page. */
export const meanings: Readonly<Record<ExitCode, string>> = {
  [EXIT.ok]: 'all is well',
  [EXIT.failed]: 'failed, or found a problem; or was ended by a second signal',
  [EXIT.usage]: 'called wrongly: the last line says which setting it was',
  [EXIT.left]: 'the deadline has passed, and something was left',
};
