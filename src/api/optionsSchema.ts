/**
 * Schemas of options objects: the interface of the options has the docstrings, and its schema the rest. The compiler
 * refuses a schema that differs from its interface; checks, defaults, errors and the reference page follow from it.
 *
 * @example
 * export interface PingOptions {
 *   /**
 *    * Time between two pings, in ms.
 *    * @default 2000
 *    *\/
 *   interval?: number;
 * }
 * export const pingOptions = optionsOf<PingOptions>()({ interval: v.optional(duration(100), 2000) });
 *
 * const { interval } = resolveOptions('Ping', pingOptions, given); // a number
 */
import * as v from 'valibot';
import { describeGiven } from './describeGiven.ts';
import { unknownNames } from './unknownNames.ts';

/** Schema of an options object, with the schemas of its options by their names. */
export type OptionsSchema<Entries extends v.ObjectEntries> = v.GenericSchema<
  v.InferInput<v.ObjectSchema<Entries, undefined>>,
  v.InferOutput<v.ObjectSchema<Entries, undefined>>
> & { readonly entries: Entries };

/** Schema of each option, which accepts nothing that the option's type excludes. */
type EntriesOf<Options> = {
  readonly [Name in keyof Required<Options>]: v.GenericSchema<Options[Name & keyof Options], unknown>;
};

/** The reverse: a schema accepts all that the option's type allows, and none is of an option that does not exist. */
type Complete<Options, Entries> = {
  readonly [Name in keyof Entries]: Name extends keyof Options
    ? Entries[Name] extends v.GenericSchema
      ? Options[Name] extends v.InferInput<Entries[Name]>
        ? unknown
        : ['this schema refuses values that the interface allows']
      : never
    : ['the interface lacks this option'];
};

/** Messages in the text of one error. */
const MAX_TOLD = 5;

/** Returns the schema of an options object; unknown options are refused, with the nearest known name. */
export function optionsOf<Options extends object>() {
  return <const Entries extends v.ObjectEntries>(
    entries: Entries & EntriesOf<Options> & Complete<Options, Entries>,
  ): OptionsSchema<Entries> => {
    const known = Object.keys(entries);
    const schema = v.pipe(
      v.looseObject(entries as Entries),
      v.description('an object'),
      v.rawCheck(({ dataset: { value }, addIssue }) => {
        const message = unknownNames(value, known);
        if (message !== undefined) addIssue({ message });
      }),
    );
    return schema;
  };
}

/**
 * Returns a rule about several options, each of which is right by itself, for the end of a schema's `v.pipe()`.
 * @param offence returns a sentence that says how the rule is broken; undefined if it is not
 */
export function rule<Options>(offence: (options: Options) => string | undefined): v.RawCheckAction<Options> {
  return v.rawCheck<Options>(({ dataset, addIssue }) => {
    const message = dataset.typed && !dataset.issues ? offence(dataset.value) : undefined;
    if (message !== undefined) addIssue({ message });
  });
}

/** Puts what is expected of an option into words, for errors and for the reference page: `a port, from 0 to 65535`. */
export function expecting<Schema extends v.GenericSchema>(
  words: string,
  schema: Schema,
): v.GenericSchema<v.InferInput<Schema>, v.InferOutput<Schema>> {
  return v.pipe(schema, v.description(words));
}

/** Keeps the value of an option out of errors and logs. */
export function secret<Schema extends v.GenericSchema>(
  schema: Schema,
): v.GenericSchema<v.InferInput<Schema>, v.InferOutput<Schema>> {
  return v.pipe(schema, v.metadata({ secret: true }));
}

/**
 * Checks options, and fills in their defaults.
 * @param of class or method whose options they are, as errors name it
 * @throws {TypeError} naming each option that is unknown or wrong, with what was given and what is expected
 */
export function resolveOptions<Schema extends v.GenericSchema>(
  of: string,
  schema: Schema,
  given: v.InferInput<Schema>,
): v.InferOutput<Schema> {
  const { success, output, issues } = v.safeParse(schema, given);
  if (success) return output;
  const told = [...new Set(issues.map(issue => toText(schema, issue)))];
  throw new TypeError(`${of}: ${told.slice(0, MAX_TOLD).join('; ')}`);
}

function toText(schema: v.GenericSchema, issue: v.BaseIssue<unknown>): string {
  const path = issue.path ?? [];
  if (issue.type === 'raw_check') return path.length > 0 ? `${toName(path)}: ${issue.message}` : issue.message;
  const { words, depth, isSecret } = expectationAt(schema, path);
  const named = path.slice(0, depth);
  const value = named.length > 0 ? named.at(-1)!.value : issue.input;
  return `${toName(named) || 'options'} must be ${words}; ${describeGiven(value, isSecret)}`;
}

interface Expectation {
  words: string;
  /** Length of the path to the described value. */
  depth: number;
  isSecret: boolean;
}

/** Returns the words of the innermost schema on the path that has any. */
function expectationAt(schema: v.GenericSchema, path: readonly v.IssuePathItem[]): Expectation {
  const expectation: Expectation = { words: schema.expects, depth: 0, isSecret: false };
  let inner: v.GenericSchema | undefined = schema;
  for (let depth = 0; inner; ++depth) {
    const words = v.getDescription(inner);
    if (words !== undefined) Object.assign(expectation, { words, depth });
    expectation.isSecret ||= isSecret(inner);
    const item: v.IssuePathItem | undefined = path[depth];
    inner = item && childOf(inner, item);
  }
  return expectation;
}

/** Whether the value of an option must not be shown. */
export function isSecret(schema: v.GenericSchema): boolean {
  return v.getMetadata(schema)['secret'] === true;
}

/** Returns the schema of a member of what the schema describes, without `v.optional()`. */
function childOf(schema: v.GenericSchema, { key, input }: v.IssuePathItem): v.GenericSchema | undefined {
  const { entries, item, value, getter } = schema as Partial<{
    entries: Record<string, v.GenericSchema>;
    item: v.GenericSchema;
    /** Of a record. */
    value: v.GenericSchema;
    getter: (input: unknown) => v.GenericSchema;
  }>;
  if (getter) return childOf(getter(input), { key, input } as v.IssuePathItem);
  const child = item ?? entries?.[String(key)] ?? value;
  return child && unwrap(child);
}

/** Returns the schema within `v.optional()`. */
export function unwrap(schema: v.GenericSchema): v.GenericSchema {
  return 'wrapped' in schema ? unwrap(schema.wrapped as v.GenericSchema) : schema;
}

/** Returns the path as an application writes it: `listenInfos[0].ip`. */
function toName(path: readonly v.IssuePathItem[]): string {
  return path.reduce((name, { key }) => {
    if (typeof key === 'number') return `${name}[${key}]`;
    return name === '' ? String(key) : `${name}.${String(key)}`;
  }, '');
}
