/** Provisioner of your own commands: enough for the command line of any cloud. */
import * as v from 'valibot';
import { optionsOf, resolveOptions } from '../api/optionsSchema.ts';
import { duration, text, texts } from '../api/optionTypes.ts';
import {
  checkList,
  checkProvisioned,
  type ListedServer,
  type ProvisionedServer,
  type Provisioner,
  type StartRequest,
} from './provisioner.ts';
import { commandType, runCommand, type Command } from './runCommand.ts';

/** Options of a CommandProvisioner. */
export interface CommandProvisionerOptions {
  /** Orders a server, and prints `{ "id": …, "url": … }`. Gets `MAFALDA_REGION` and `MAFALDA_FENCE`, if there are. */
  start: Command;
  /** Ends the server `MAFALDA_SERVER_ID`; succeeds also if it is gone already. */
  stop: Command;
  /** Prints `[{ "id": …, "url": …, "region": … }, …]`: all servers, `url` and `region` as far as they are known. */
  list: Command;
  /**
   * Environment variables beside those of this process.
   * @default {}
   */
  env?: Readonly<Record<string, string>>;
  /**
   * Folder in which the commands run.
   * @default that of this process
   */
  cwd?: string;
  /**
   * Longest time that `start` and `stop` take, in ms. Then they are ended by SIGTERM, and after 5 s by SIGKILL.
   * @default 300_000
   */
  timeout?: number;
  /**
   * Longest time that `list` takes, in ms.
   * @default 20_000
   */
  listTimeout?: number;
}

export const commandProvisionerOptions = optionsOf<CommandProvisionerOptions>()({
  start: commandType,
  stop: commandType,
  list: commandType,
  env: v.optional(texts),
  cwd: v.optional(text),
  timeout: v.optional(duration(1), 300_000),
  listTimeout: v.optional(duration(1), 20_000),
});

/**
 * Runs a command for each start, stop and list: the file first, then its arguments, without a shell. What a command
 * needs to know is in its environment, what it answers is the JSON on its standard output, and an exit code other than
 * 0 says that it has failed, with what is on its standard error.
 *
 * ```ts
 * const provisioner = new CommandProvisioner({ start: ['./cloud.sh', 'start'], stop: ['./cloud.sh', 'stop'], list: ['./cloud.sh', 'list'] });
 * ```
 */
export class CommandProvisioner implements Provisioner {
  readonly #options: v.InferOutput<typeof commandProvisionerOptions>;

  /** @throws {TypeError} for an option that is unknown or can't be used */
  constructor(options: CommandProvisionerOptions) {
    this.#options = resolveOptions('CommandProvisioner', commandProvisionerOptions, options);
  }

  async start({ region, fence, signal }: StartRequest): Promise<ProvisionedServer> {
    const environment = {
      ...(region === undefined ? {} : { MAFALDA_REGION: region }),
      ...(fence === undefined ? {} : { MAFALDA_FENCE: String(fence) }),
    };
    return checkProvisioned(parse('start', await this.#run('start', environment, signal)));
  }

  async stop(id: string): Promise<void> {
    await this.#run('stop', { MAFALDA_SERVER_ID: id });
  }

  async list(): Promise<ListedServer[]> {
    return checkList(parse('list', await this.#run('list', {})));
  }

  #run(name: 'start' | 'stop' | 'list', environment: Record<string, string>, signal?: AbortSignal): Promise<string> {
    const { env, cwd } = this.#options;
    return runCommand(this.#options[name], {
      env: { ...process.env, ...env, ...environment },
      timeout: name === 'list' ? this.#options.listTimeout : this.#options.timeout,
      ...(cwd === undefined ? {} : { cwd }),
      ...(signal ? { signal } : {}),
    });
  }
}

function parse(name: string, output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    throw new TypeError(
      `the command for ${name} must print JSON, and has printed ${JSON.stringify(output.slice(0, 200))}`,
    );
  }
}
