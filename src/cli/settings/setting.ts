/**
 * Settings of commands, which are options of the library: name, type and check come from the option's schema, the text
 * for people from its docstring. A setting is an argument, an environment variable, and a member of a file.
 */
import type * as v from 'valibot';
import { formOf, type WrittenForm } from '../../api/written.ts';

export interface Setting<Schema extends v.GenericSchema = v.GenericSchema> {
  readonly schema: Schema;
  readonly form: WrittenForm;
  readonly source: SettingSource;
  /** Name of the option, which the setting has too, unless it would be another option's. */
  readonly option: string;
}

/** Options object that settings come from. */
export interface SettingSource {
  /** Heading of its settings, in the help and in the reference page. */
  readonly title: string;
  /** Interfaces that have the docstrings, its own one first. */
  readonly interfaces: readonly string[];
}

/** Settings by their names. */
export type Settings = Readonly<Record<string, Setting>>;

/** Values of settings; those that are not given are missing. */
export type Values<Of extends Settings> = { [Name in keyof Of]?: v.InferInput<Of[Name]['schema']> | undefined };

type SettingsOf<Entries extends v.ObjectEntries, Left extends PropertyKey> = {
  readonly [Name in Exclude<keyof Entries, Left>]: Entries[Name] extends v.GenericSchema
    ? Setting<Entries[Name]>
    : never;
};

/**
 * Makes a setting of each option.
 * @param leftOut options that are no settings, with the reason
 * @throws {Error} for an option that nothing written can stand for, and that is not left out
 */
export function settingsOf<Entries extends v.ObjectEntries, const Left extends string = never>(
  source: SettingSource,
  { entries }: { readonly entries: Entries },
  leftOut?: Readonly<Record<Left & keyof Entries, string>>,
): SettingsOf<Entries, Left> {
  const options = Object.entries(entries as Record<string, v.GenericSchema>);
  const settings = options
    .filter(([option]) => !Object.hasOwn(leftOut ?? {}, option))
    .map(([option, schema]) => [option, { schema, form: writtenForm(source, option, schema), source, option }]);
  return Object.fromEntries(settings) as SettingsOf<Entries, Left>;
}

function writtenForm({ interfaces }: SettingSource, option: string, schema: v.GenericSchema): WrittenForm {
  const form = formOf(schema);
  if (form !== undefined) return form;
  throw new Error(
    `${interfaces[0]}.${option} can't be a setting of the command, since no text can stand for it: say by written() in its schema how it is written, or leave it out, with the reason, where settingsOf() is called for ${interfaces[0]}`,
  );
}

type Renamed<Of extends Settings, Taken extends PropertyKey, Prefix extends string> = {
  readonly [Name in keyof Of & string as Name extends Taken ? `${Prefix}${Capitalize<Name>}` : Name]: Of[Name];
};

/** Gives those settings a prefix whose names are others' already. */
export function renamed<Of extends Settings, Taken extends Settings, Prefix extends string>(
  settings: Of,
  taken: Taken,
  prefix: Prefix,
): Renamed<Of, keyof Taken, Prefix> {
  const entries = Object.entries(settings).map(([name, setting]) => [
    Object.hasOwn(taken, name) ? `${prefix}${name[0]!.toUpperCase()}${name.slice(1)}` : name,
    setting,
  ]);
  return Object.fromEntries(entries) as Renamed<Of, keyof Taken, Prefix>;
}

/** Returns the options of one source, by their own names. */
export function optionsFrom<Options extends object>(
  source: SettingSource,
  settings: Settings,
  values: Values<Settings>,
): Partial<Options> {
  const given = Object.entries(settings)
    .filter(([, setting]) => setting.source === source)
    .map(([name, { option }]) => [option, values[name]]);
  // Each value has passed the schema of its option.
  return Object.fromEntries(given) as Partial<Options>;
}
