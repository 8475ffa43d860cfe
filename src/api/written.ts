/** Written forms of options: how a text, such as an argument of the command, stands for the value of an option. */
import * as v from 'valibot';
import { unwrap } from './optionsSchema.ts';

/**
 * Forms of options:
 *
 * - `text`, `number`: as it is;
 * - `flag`: `true` or `false`;
 * - `duration`: milliseconds, or a number with `ms`, `s`, `m`, `h`;
 * - `list`: texts, separated by commas;
 * - `ports`: a range, `40000-40100`;
 * - `file`: the path of a file, whose content is the value;
 * - `json`: for options that are objects, or arrays of objects.
 */
export const writtenForms = ['text', 'number', 'flag', 'duration', 'list', 'ports', 'file', 'json'] as const;

export type WrittenForm = (typeof writtenForms)[number];

/** Says how an option is written whose schema alone does not tell that. */
export function written<Schema extends v.GenericSchema>(
  form: WrittenForm,
  schema: Schema,
): v.GenericSchema<v.InferInput<Schema>, v.InferOutput<Schema>> {
  return v.pipe(schema, v.metadata({ written: form }));
}

/** Returns the form of an option; undefined if none can stand for it, such as for a function. */
export function formOf(schema: v.GenericSchema): WrittenForm | undefined {
  const inner = unwrap(schema);
  const told = v.getMetadata(inner)['written'];
  return writtenForms.find(form => form === told) ?? formOfType(inner);
}

function formOfType(schema: v.GenericSchema): WrittenForm | undefined {
  switch (schema.type) {
    case 'string':
    case 'picklist':
      return 'text';
    case 'number':
      return 'number';
    case 'boolean':
      return 'flag';
    case 'array':
      return 'item' in schema && formOf(schema.item as v.GenericSchema) === 'text' ? 'list' : 'json';
    case 'loose_object':
    case 'lazy':
    case 'record':
      return 'json';
    default:
      return undefined;
  }
}
