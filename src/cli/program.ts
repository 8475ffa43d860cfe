/** The command line: reads the arguments of all commands, and tells of their errors. */
import { Command as Commander, CommanderError, Option } from 'commander';
import { packageVersion } from '../core/packageVersion.ts';
import { PROGRAM, toCommandLine, type Command } from './command.ts';
import { commands, knownSettings } from './commands.ts';
import { EXIT, meanings, type ExitCode } from './exitCodes.ts';
import { helpOf } from './help.ts';
import { argumentOf } from './settings/names.ts';
import { CONFIG_VARIABLE, readSettings } from './settings/readSettings.ts';
import type { Terminal } from './terminal.ts';

const closing = `
Each setting is an argument (--announced-address), an environment variable
(MAFALDA_ANNOUNCED_ADDRESS), or a member of the file of --config
({ "announcedAddress": … }); an argument comes before a variable, and that
before the file. Durations: 500ms, 30s, 10m, 1h; a number alone is of
milliseconds. A <file> may be the text itself, if it is PEM.

Exit codes:
${Object.entries(meanings)
  .map(([code, meaning]) => `  ${code}  ${meaning}`)
  .join('\n')}`;

/**
 * Runs the command line.
 * @param args without the paths of Node.js and of the script
 * @returns the exit code
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = new Commander(PROGRAM)
    .description('Media servers with mediasoup, which scale over cores and machines.')
    .version(packageVersion)
    .exitOverride()
    .configureOutput({
      writeOut: text => terminal.out(text.trimEnd()),
      writeErr: text => terminal.err(text.trimEnd()),
    })
    .addHelpText('after', closing);
  for (const command of commands) {
    const parser = parserOf(command).copyInheritedSettings(program);
    parser.action(async () => {
      const { config, ...given } = parser.opts<Record<string, string>>();
      const values = await readSettings(command.settings, {
        args: given,
        env: process.env,
        config,
        known: knownSettings,
      });
      exitCode = await command.run(values, parser.args, terminal);
    });
    program.addCommand(parser);
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, terminal);
  }
}

function parserOf(command: Command): Commander {
  const { name, summary, operands, settings, examples } = command;
  const parser = new Commander(name)
    .description(summary)
    .addOption(new Option('--config <file>', `JSON file, or module, with settings; or ${CONFIG_VARIABLE}`))
    .addHelpText(
      'after',
      `\nExamples:\n${examples.map(example => `  $ ${toCommandLine(command, example)}`).join('\n')}\n${closing}`,
    );
  if (operands) parser.argument(...operands);
  for (const [setting, declared] of Object.entries(settings)) {
    const placeholder = declared.form === 'flag' ? '' : ` <${declared.form}>`;
    const option = new Option(`${argumentOf(setting)}${placeholder}`, helpOf(declared, settings));
    parser.addOption(option.helpGroup(`${declared.source.title}:`));
  }
  return parser;
}

function exitCodeOf(error: unknown, terminal: Terminal): ExitCode {
  // Commander has written its own errors, and the help, which is no error where it is asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { name, message } = error as Error;
  terminal.err(`${PROGRAM}: ${message}`);
  // The library's checks of options throw a TypeError with the option's name.
  return name === 'UsageError' || name === 'TypeError' ? EXIT.usage : EXIT.failed;
}
