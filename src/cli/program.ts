/** The command line: its commands with their settings, helps and examples. */
import { Command, CommanderError, Option } from 'commander';
import { packageVersion } from '../core/packageVersion.ts';
import { cluster } from './commands/cluster.ts';
import { doctor, doctorSettings } from './commands/doctor.ts';
import { drain, drainSettings } from './commands/drain.ts';
import { serve } from './commands/serve.ts';
import { status } from './commands/status.ts';
import { EXIT, type ExitCode } from './exitCodes.ts';
import { argumentOf, variableOf } from './settings/names.ts';
import { CONFIG_VARIABLE, readSettings, type Values } from './settings/readSettings.ts';
import { clientSettings, clusterSettings, serveSettings } from './settings/serverSettings.ts';
import type { Settings } from './settings/setting.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usageError.ts';

const NAME = 'mafalda-horizontal';

/** Settings of all commands: variables for one of them may be there while another runs. */
const known = Object.keys({ ...serveSettings, ...clusterSettings, ...doctorSettings, ...drainSettings });

const closing = `
Each setting is an argument (--announced-address), an environment variable
(MAFALDA_ANNOUNCED_ADDRESS), or a member of the file of --config
({ "announcedAddress": … }); an argument comes before a variable, and that
before the file. Durations: 500ms, 30s, 10m, 1h.

Exit codes: 0 all is well, 1 failed, 2 called wrongly, 3 something was left at
the deadline.`;

type Run<Of extends Settings> = (values: Values<Of>, args: string[]) => Promise<ExitCode>;

/**
 * Runs the command line.
 * @param args without the paths of Node.js and of the script
 * @returns the exit code
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const output = {
    writeOut: (text: string) => terminal.out(text.trimEnd()),
    writeErr: (text: string) => terminal.err(text.trimEnd()),
  };
  const program = new Command(NAME)
    .description('Media servers with mediasoup, which scale over cores and machines.')
    .version(packageVersion)
    .exitOverride()
    .configureOutput(output)
    .addHelpText('after', closing);

  const add = <const Of extends Settings>(command: Command, settings: Of, examples: string[], run: Run<Of>): void => {
    command
      .copyInheritedSettings(program)
      .addOption(new Option('--config <file>', `JSON file, or module, with settings; or ${CONFIG_VARIABLE}`))
      .addHelpText('after', `\nExamples:\n${examples.map(example => `  $ ${NAME} ${example}`).join('\n')}\n${closing}`);
    for (const [name, { kind, help, value = kind }] of Object.entries(settings)) {
      const placeholder = kind === 'flag' ? '' : ` <${value}>`;
      command.addOption(new Option(`${argumentOf(name)}${placeholder}`, help));
    }
    command.action(async () => {
      const { config, ...given } = command.opts<Record<string, string>>();
      const values = await readSettings(settings, { args: given, env: process.env, config, known });
      exitCode = await run(values, command.args);
    });
    program.addCommand(command);
  };

  add(
    new Command('serve').description('a media server: all cores of this machine, for controllers elsewhere'),
    serveSettings,
    [
      'serve --port 4443 --cert cert.pem --key key.pem --token-file token --announced-address 203.0.113.7',
      'serve --config /etc/mafalda/server.json --media-ports 40000-40015 --pipe-ports 40100-40355',
    ],
    values => serve(values, terminal),
  );
  add(
    new Command('cluster').description('a central server: many media servers as one'),
    clusterSettings,
    ['cluster --port 4443 --nodes wss://media-1.example:4443,wss://media-2.example:4443 --token-file token'],
    values => cluster(values, terminal),
  );
  let isJson = false;
  const json = (): Option => new Option('--json', 'JSON instead of lines for people').default(false);
  const withJson = (command: Command): Command =>
    command.addOption(json()).hook('preAction', called => void (isJson = called.opts<{ json: boolean }>().json));
  add(
    withJson(new Command('status').description('the state of servers').argument('[urls...]', 'default: MAFALDA_NODES')),
    { ...clientSettings, nodes: clusterSettings.nodes },
    ['status wss://media-1.example:4443 wss://media-2.example:4443', 'status --json'],
    ({ nodes, ...values }, urls) => status(urlsOf(urls, nodes), values, isJson, terminal),
  );
  add(
    new Command('drain')
      .description('takes a server out of use, and waits until nothing is left there')
      .argument('<node>', 'URL of the server'),
    drainSettings,
    ['drain wss://media-1.example:4443 --deadline 30m', 'drain wss://media-1.example:4443 --undo'],
    (values, [url]) => drain(url!, values, terminal),
  );
  add(
    withJson(
      new Command('doctor')
        .description(
          'what this machine can do, or what servers can: versions, token, round trip, and pipes between them',
        )
        .argument('[urls...]', 'servers; default: this machine, with the settings of serve'),
    ),
    doctorSettings,
    [
      'doctor --port 4443 --announced-address 203.0.113.7 --media-ports 40000-40015',
      'doctor wss://media-1.example:4443 wss://media-2.example:4443',
    ],
    (values, urls) => doctor(urls, values, isJson, terminal),
  );

  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, terminal);
  }
}

/** @throws {UsageError} if no server is named */
function urlsOf(urls: string[], nodes: string[] | undefined): string[] {
  const named = urls.length > 0 ? urls : (nodes ?? []);
  if (named.length > 0) return named;
  throw new UsageError(`no servers: name them, or set ${variableOf('nodes')}`);
}

function exitCodeOf(error: unknown, terminal: Terminal): ExitCode {
  // Commander has written its own errors, and the help, which is no error where it is asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { name, message } = error as Error;
  terminal.err(`${NAME}: ${message}`);
  // The library's checks of options throw a TypeError with the option's name.
  return name === 'UsageError' || name === 'TypeError' ? EXIT.usage : EXIT.failed;
}
