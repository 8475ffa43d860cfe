/** Types of options, from which schemas are put together, each with the words for what it takes. */
import * as v from 'valibot';
import { expecting } from './optionsSchema.ts';
import type { ObjectShape } from './shapes/shape.ts';
import { unknownNames } from './unknownNames.ts';
import { written } from './written.ts';

/** Longest duration that setTimeout() takes, in ms. */
export const MAX_DURATION_MS = 2 ** 31 - 1;

/** Schema of a value of a type. */
export type OptionType<Given, Taken = Given> = v.GenericSchema<Given, Taken>;

export const text: OptionType<string> = expecting('a non-empty string', v.pipe(v.string(), v.nonEmpty()));

export const anyText: OptionType<string> = expecting('a string', v.string());

export const flag: OptionType<boolean> = expecting('true or false', v.boolean());

export const positiveInteger: OptionType<number> = expecting(
  'a positive integer',
  v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
);

/** Percentage that goes over the wire, where there is no Infinity. */
export const finitePercentage: OptionType<number> = expecting(
  'a percentage, 0 or more',
  v.pipe(v.number(), v.finite(), v.minValue(0)),
);

export const percentage: OptionType<number> = expecting('a percentage, 0 or more', v.pipe(v.number(), v.minValue(0)));

export const port: OptionType<number> = expecting(
  'an integer from 0 to 65535',
  v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
);

export const pem: OptionType<string | Buffer> = written(
  'file',
  expecting(
    'PEM, as a string or a Buffer',
    v.custom<string | Buffer>(value => (typeof value === 'string' && value !== '') || Buffer.isBuffer(value)),
  ),
);

/** A duration that a timer can be set to, in ms. */
export function duration(least: number, most = MAX_DURATION_MS): OptionType<number> {
  return written(
    'duration',
    expecting(
      `a number of milliseconds, from ${least} to ${most}`,
      v.pipe(v.number(), v.minValue(least), v.maxValue(most)),
    ),
  );
}

export function integerFrom(least: number): OptionType<number> {
  return expecting(`an integer, ${least} or more`, v.pipe(v.number(), v.safeInteger(), v.minValue(least)));
}

/** An array; `words` in the plural: `strings`. */
export function listOf<Given, Taken>(
  words: string,
  item: v.GenericSchema<Given, Taken>,
): OptionType<readonly Given[], readonly Taken[]> {
  return expecting(`an array of ${words}`, v.array(item));
}

/** A function, of which nothing but that can be checked. */
export function callback<F extends (...args: never[]) => unknown>(words: string): OptionType<F> {
  return expecting(
    words,
    v.custom<F>(value => typeof value === 'function'),
  );
}

/** Options that are mediasoup's: their names are checked here, their values by mediasoup. */
export function mediasoupOptions<Options extends object>({ members }: ObjectShape<Options>): OptionType<Options> {
  const known = Object.keys(members);
  const options = v.pipe(
    v.custom<Options>(isObject),
    v.description('an object'),
    v.rawCheck(({ dataset: { value }, addIssue }) => {
      const message = unknownNames(value, known);
      if (message !== undefined) addIssue({ message });
    }),
  );
  return written('json', options);
}

/** An object with strings as values. */
export const texts: OptionType<Readonly<Record<string, string>>> = expecting(
  'an object with strings as values',
  v.record(v.string(), v.string()),
);

/** Either the options, or false. */
export function orFalse<Given, Taken>(
  options: v.GenericSchema<Given, Taken>,
): OptionType<Given | false, Taken | false> {
  return expecting(
    'an object, or false',
    v.lazy<v.GenericSchema<Given | false, Taken | false>>(given => (given === false ? v.literal(false) : options)),
  );
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
