/** Reads the settings of a command: arguments come before environment variables, and these before a file. */
import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nearestName } from '../../api/nearestName.ts';
import { UsageError } from '../usageError.ts';
import { argumentOf, variableOf } from './names.ts';
import { readText, readValue, type Settings, type SettingKind, type PortRange } from './setting.ts';

interface ValueOf {
  text: string;
  number: number;
  duration: number;
  flag: boolean;
  list: string[];
  ports: PortRange;
  file: string;
  /** Checked by the library's own options. */
  json: unknown;
}

/** Values of settings; what is not given is missing. */
export type Values<Of extends Settings> = { [Name in keyof Of]?: ValueOf[Of[Name]['kind'] & SettingKind] };

/** Variable that names the file with settings. */
export const CONFIG_VARIABLE = 'MAFALDA_CONFIG';

export interface Sources {
  /** Texts of arguments, by the names of the settings; true for a flag. */
  args: Readonly<Record<string, string | boolean | undefined>>;
  env: NodeJS.ProcessEnv;
  /** Path of a file; default: as `MAFALDA_CONFIG` says. */
  config: string | undefined;
  /** Settings of all commands: a variable of another command's is no mistake. */
  known: readonly string[];
}

/** @throws {UsageError} for a setting that is unknown or can't be read, with its place */
export async function readSettings<const Of extends Settings>(settings: Of, sources: Sources): Promise<Values<Of>> {
  const { args, env, known } = sources;
  refuseUnknownVariables(env, known);
  const file = sources.config ?? (env[CONFIG_VARIABLE] || undefined);
  const values: Record<string, unknown> = file === undefined ? {} : await readConfig(settings, file);
  for (const [name, { kind }] of Object.entries(settings)) {
    const argument = args[name];
    const variable = env[variableOf(name)];
    if (typeof argument === 'string') values[name] = read(kind, argument, argumentOf(name));
    else if (argument !== undefined) values[name] = argument;
    else if (variable) values[name] = read(kind, variable, variableOf(name));
  }
  return values as Values<Of>;
}

function read(kind: SettingKind, text: string, where: string): unknown {
  try {
    return readText(kind, text);
  } catch (error) {
    throw new UsageError(`${where}: ${(error as Error).message}`);
  }
}

/** Refuses a variable that no command knows: a typing error would go unnoticed. */
function refuseUnknownVariables(env: NodeJS.ProcessEnv, known: readonly string[]): void {
  const variables = [CONFIG_VARIABLE, ...known.map(variableOf)];
  const unknown = Object.keys(env).filter(name => name.startsWith('MAFALDA_') && !variables.includes(name));
  if (unknown.length > 0) throw unknownName('environment variable', unknown[0]!, variables);
}

/** Reads a JSON file, or the default export of a module, which may have functions too. */
async function readConfig(settings: Settings, file: string): Promise<Record<string, unknown>> {
  let content: unknown;
  try {
    const isModule = ['.js', '.mjs', '.cjs'].includes(extname(file));
    content = isModule
      ? ((await import(pathToFileURL(resolve(file)).href)) as { default: unknown }).default
      : JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} can't be read: ${(error as Error).message}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new UsageError(`${file} must have an object with settings`);
  const names = Object.keys(settings);
  const unknown = Object.keys(content).find(name => !names.includes(name));
  if (unknown !== undefined) throw unknownName(`setting in ${file}:`, unknown, names);
  return Object.fromEntries(
    Object.entries(content).map(([name, value]) => {
      try {
        return [name, readValue(settings[name]!.kind, value)];
      } catch (error) {
        throw new UsageError(`${file}: ${name}: ${(error as Error).message}`);
      }
    }),
  );
}

function unknownName(what: string, name: string, known: readonly string[]): UsageError {
  const nearest = nearestName(name, known);
  return new UsageError(`unknown ${what} ${name}${nearest === undefined ? '' : `, do you mean ${nearest}?`}`);
}
