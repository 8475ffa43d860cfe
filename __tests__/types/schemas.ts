/** Mistakes in schemas and shapes that the compiler has to find: checked by `npm run typecheck`, never run. */
import * as v from 'valibot';
import { optionsOf } from '../../src/api/optionsSchema.ts';
import { integer, list, number, object, text, type Shape } from '../../src/api/shapes/shape.ts';
import type { classShapes } from '../../src/remote/protocol/argumentShapes.ts';

interface Options {
  port?: number;
  mode: 'fast' | 'slow';
}

const mode = v.picklist(['fast', 'slow']);

export const right = optionsOf<Options>()({ port: v.optional(v.number(), 5), mode });
export const port: number = v.parse(right, {}).port;

// @ts-expect-error The schema of an option is missing.
optionsOf<Options>()({ mode });
// @ts-expect-error There is no such option.
optionsOf<Options>()({ port: v.optional(v.number()), mode, more: v.string() });
// @ts-expect-error The interface lets the option be left out.
optionsOf<Options>()({ port: v.number(), mode });
// @ts-expect-error The interface does not let the option be left out.
optionsOf<Options>()({ port: v.optional(v.number()), mode: v.optional(mode) });
// @ts-expect-error The schema accepts what the interface excludes.
optionsOf<Options>()({ port: v.optional(v.string()), mode });
// @ts-expect-error The schema refuses what the interface allows.
optionsOf<Options>()({ port: v.optional(v.number()), mode: v.literal('fast') });

interface Codec {
  mimeType: string;
  rate?: number;
  kind?: 'audio' | 'video';
}

object<Codec>()({ mimeType: text, rate: integer, kind: text });
// @ts-expect-error The shape of a member is missing.
object<Codec>()({ mimeType: text, rate: integer });
// @ts-expect-error There is no such member.
object<Codec>()({ mimeType: text, rate: integer, kind: text, channels: number });
// @ts-expect-error The shape is of another type.
object<Codec>()({ mimeType: text, rate: text, kind: text });
// @ts-expect-error The shape is of a list.
object<Codec>()({ mimeType: list(text, 'strings'), rate: integer, kind: text });

type ProducerShapes = (typeof classShapes)['Producer'];
// @ts-expect-error A method of the class table has no shapes.
export const incomplete: ProducerShapes = { close: [], dump: [], getStats: [], pause: [], resume: [], send: [text] };
// @ts-expect-error A parameter has no shape.
export const withoutParameter: ProducerShapes['send'] = [];
export const ofNothing: Shape<never> = text;
