import { expect, test } from '@jest/globals';
import * as v from 'valibot';
import { toCommandLine, type Example } from '../../../src/cli/command.ts';
import { commands } from '../../../src/cli/commands.ts';
import { readText } from '../../../src/cli/settings/readText.ts';

const examples = commands.flatMap(command =>
  command.examples.map((example): [string, (typeof commands)[number], Example] => [
    toCommandLine(command, example),
    command,
    example,
  ]),
);

test.each(examples)('$ %s has settings that can be read', (_line, { settings }, { settings: given = {} }) => {
  for (const [name, text] of Object.entries(given)) {
    const { form, schema } = settings[name]!;
    if (text === true) expect(form).toBe('flag');
    // Files of examples are not there.
    else if (form !== 'file') expect([name, v.is(schema, readText(form, text!))]).toEqual([name, true]);
  }
});

test('an example is what is typed in a shell', () => {
  const [serve] = commands;
  expect(toCommandLine(serve!, { config: 'a b.json', settings: { port: '1', open: true } })).toBe(
    `mafalda-horizontal serve --config 'a b.json' --port 1 --open`,
  );
});
