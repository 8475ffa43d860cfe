/** Error of somebody who calls a command: it is shown without a stack, and ends the command with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
