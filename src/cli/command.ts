/** A command: one declaration, from which follow its arguments, its help, and its part of the reference page. */
import type { ExitCode } from './exitCodes.ts';
import { argumentOf } from './settings/names.ts';
import type { Settings, Values } from './settings/setting.ts';
import type { Terminal } from './terminal.ts';

export const PROGRAM = 'mafalda-horizontal';

/** Command, with settings of some kind. */
export interface Command<Of extends Settings = Settings> {
  readonly name: string;
  readonly summary: string;
  /** Operands, such as `[urls...]`, with their help. */
  readonly operands?: readonly [syntax: string, help: string];
  readonly settings: Of;
  readonly examples: readonly Example<Of>[];
  /** Does the work of the command. Resolves with the exit code. */
  run(values: Values<Of>, operands: readonly string[], terminal: Terminal): Promise<ExitCode>;
}

/** Call of a command: texts of its settings, as arguments give them. */
export interface Example<Of extends Settings = Settings> {
  readonly operands?: readonly string[];
  /** File with settings. */
  readonly config?: string;
  readonly settings?: { readonly [Name in keyof Of]?: string | true };
}

/** Declares a command, whose settings say what its `run()` is given. */
export function command<const Of extends Settings>(declared: Command<Of>): Command {
  return declared;
}

/** Returns an example as it is typed. */
export function toCommandLine({ name }: Command, { operands = [], config, settings = {} }: Example): string {
  const all: Example['settings'] = { ...(config !== undefined && { config }), ...settings };
  const given = Object.entries(all).flatMap(([setting, text]) =>
    text === true ? [argumentOf(setting)] : [argumentOf(setting), quoted(text!)],
  );
  return [PROGRAM, name, ...operands, ...given].join(' ');
}

/** Puts what a shell would change in quotes. */
function quoted(text: string): string {
  return /^[\w./:,-]+$/.test(text) ? text : `'${text}'`;
}
