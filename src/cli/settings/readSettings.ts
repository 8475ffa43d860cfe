/** Reads the settings of a command: arguments come before environment variables, and these before a file. */
import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import { nearestName } from '../../api/nearestName.ts';
import { resolveOptions } from '../../api/optionsSchema.ts';
import type { WrittenForm } from '../../api/written.ts';
import { UsageError } from '../usageError.ts';
import { argumentOf, variableOf } from './names.ts';
import { readText, readValue } from './readText.ts';
import type { Setting, Settings, Values } from './setting.ts';

/** Variable that names the file with settings. */
export const CONFIG_VARIABLE = 'MAFALDA_CONFIG';

export interface Sources {
  /** Texts of arguments, by the names of the settings; true for a flag. */
  args: Readonly<Record<string, string | boolean | undefined>>;
  env: NodeJS.ProcessEnv;
  /** Path of a file; default: as `MAFALDA_CONFIG` says. */
  config: string | undefined;
  /** Settings of all commands: those of others are passed over, in variables and in the file. */
  known: readonly string[];
}

/**
 * @throws {UsageError} for a setting that is unknown, or can't be read, with its place
 * @throws {TypeError} for a value that the option does not take
 */
export async function readSettings<Of extends Settings>(settings: Of, sources: Sources): Promise<Values<Of>> {
  const { args, env, known } = sources;
  refuseUnknownVariables(env, known);
  const file = sources.config ?? (env[CONFIG_VARIABLE] || undefined);
  const values: Record<string, unknown> = file === undefined ? {} : await readConfig(settings, file, known);
  for (const [name, setting] of Object.entries(settings)) {
    const argument = args[name];
    const variable = env[variableOf(name)];
    if (typeof argument === 'string') values[name] = read(name, setting, argument, argumentOf(name), readText);
    else if (argument !== undefined) values[name] = argument;
    else if (variable) values[name] = read(name, setting, variable, variableOf(name), readText);
  }
  return values;
}

/** Reads a value, and checks it by the schema of its option, so that errors can name the place. */
function read<Given>(
  name: string,
  { form, schema }: Setting,
  given: Given,
  where: string,
  toValue: (form: WrittenForm, given: Given) => unknown,
): unknown {
  let value: unknown;
  try {
    value = toValue(form, given);
  } catch (error) {
    throw new UsageError(`${where}: ${(error as Error).message}`);
  }
  resolveOptions(where, v.object({ [name]: schema }), { [name]: value });
  return value;
}

/** Refuses a variable that no command knows: a typing error would go unnoticed. */
function refuseUnknownVariables(env: NodeJS.ProcessEnv, known: readonly string[]): void {
  const variables = [CONFIG_VARIABLE, ...known.map(variableOf)];
  const unknown = Object.keys(env).find(name => name.startsWith('MAFALDA_') && !variables.includes(name));
  if (unknown !== undefined) throw unknownName('environment variable', unknown, variables);
}

/** Reads a JSON file, or the default export of a module, which may have functions too. */
async function readConfig(
  settings: Settings,
  file: string,
  known: readonly string[],
): Promise<Record<string, unknown>> {
  const content = await contentOf(file);
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new UsageError(`${file} must have an object with settings`);
  const unknown = Object.keys(content).find(name => !known.includes(name));
  if (unknown !== undefined) throw unknownName(`setting in ${file}:`, unknown, known);
  const own = Object.entries(content).filter(([name]) => Object.hasOwn(settings, name));
  return Object.fromEntries(
    own.map(([name, value]) => [name, read(name, settings[name]!, value, `${file}, ${name}`, readValue)]),
  );
}

async function contentOf(file: string): Promise<unknown> {
  try {
    const isModule = ['.js', '.mjs', '.cjs'].includes(extname(file));
    if (!isModule) return JSON.parse(readFileSync(file, 'utf8'));
    return ((await import(pathToFileURL(resolve(file)).href)) as { default: unknown }).default;
  } catch (error) {
    throw new UsageError(`${file} can't be read: ${(error as Error).message}`);
  }
}

function unknownName(what: string, name: string, known: readonly string[]): UsageError {
  const nearest = nearestName(name, known);
  return new UsageError(`unknown ${what} ${name}${nearest === undefined ? '' : `, do you mean ${nearest}?`}`);
}
