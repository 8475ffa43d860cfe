/** The page of the command, docs/reference/command.md: what it says of settings comes from the library's options. */
import { toCommandLine, type Command, type Example } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import { meanings } from '../../src/cli/exitCodes.ts';
import { noClientSettings } from '../../src/cli/settings/clientSettings.ts';
import { noClusterSettings } from '../../src/cli/settings/clusterSettings.ts';
import { argumentOf, variableOf } from '../../src/cli/settings/names.ts';
import { readText } from '../../src/cli/settings/readText.ts';
import { noCentralServerSettings, noServerSettings } from '../../src/cli/settings/serverSettings.ts';
import type { Setting, Settings } from '../../src/cli/settings/setting.ts';
import { docsOf } from './docstrings.ts';
import { takes } from './optionsPage.ts';
import { escaped, tableOf } from './tables.ts';

/** Returns the sections of all commands, the exit codes, and what is no setting. */
export function commandSections(): string {
  return [...commands.map(sectionOf), exitCodes(), leftOut()].join('\n');
}

function sectionOf(command: Command, index: number): string {
  const { name, summary, operands, examples } = command;
  const lines = examples.map(example => toCommandLine(command, example)).join('\n');
  const operand = operands ? `\n\`${operands[0]}\`: ${operands[1]}.\n` : '';
  const groups = groupsOf(command).map(([title, settings]) => groupText(title, settings, commands.slice(0, index)));
  const [first] = examples;
  return `## ${name}\n\n${capital(summary)}.\n\n\`\`\`sh\n${lines}\n\`\`\`\n${operand}${inOtherForms(command, first!)}\n${groups.join('\n')}`;
}

/** Returns the first example once more, by variables and by a file, for a command that runs as a service. */
function inOtherForms({ settings: declared }: Command, { operands, settings = {} }: Example): string {
  if (operands || !('drainDeadline' in declared)) return '';
  const given = Object.entries(settings) as [string, string][];
  const variables = given.map(([name, text]) => `${variableOf(name)}=${text}`);
  const members = Object.fromEntries(
    given.map(([name, text]) => {
      const { form } = declared[name]!;
      return [name, form === 'number' || form === 'list' ? readText(form, text) : text];
    }),
  );
  return `
The same by variables, and by a file:

\`\`\`sh
${variables.join('\n')}
\`\`\`

\`\`\`json
${JSON.stringify(members, null, 2)}
\`\`\`
`;
}

function groupsOf({ settings }: Command): [title: string, Settings][] {
  const titles = [...new Set(Object.values(settings).map(({ source }) => source.title))];
  return titles.map(title => [
    title,
    Object.fromEntries(Object.entries(settings).filter(([, { source }]) => source.title === title)),
  ]);
}

/** Returns the table of a group, or where it is if an earlier command has the very same settings. */
function groupText(title: string, settings: Settings, earlier: readonly Command[]): string {
  const same = earlier.find(command =>
    groupsOf(command).some(([other, theirs]) => other === title && isSame(theirs, settings)),
  );
  if (same) return `**${title}**: as of [${same.name}](#${same.name}).\n`;
  const rows = Object.entries(settings).map(([name, setting]) => rowOf(name, setting));
  return `**${title}**\n\n${tableOf(['setting', 'argument', 'variable', 'takes', 'default', 'what for'], rows)}`;
}

function isSame(one: Settings, other: Settings): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every(name => one[name] === other[name]);
}

function rowOf(name: string, setting: Setting): string[] {
  const { schema, form, source, option } = setting;
  const { text, fallback } = docsOf(source.interfaces, option);
  const placeholder = form === 'flag' ? '' : ` <${form}>`;
  return [
    `\`${name}\``,
    `\`${argumentOf(name)}${placeholder}\``,
    `\`${variableOf(name)}\``,
    form === 'flag' ? 'true or false' : takes(schema, 'configuration.md'),
    escaped(fallback),
    escaped(text),
  ];
}

function exitCodes(): string {
  const rows = Object.entries(meanings).map(([code, meaning]) => [code, meaning]);
  return `## Exit codes\n\n${tableOf(['code', 'meaning'], rows)}`;
}

function leftOut(): string {
  const tables = [
    ['`serve`: RemoteMafaldaServer', noServerSettings],
    ['`cluster`: RemoteMafaldaServer', noCentralServerSettings],
    ['`cluster`: MafaldaHorizontal', noClusterSettings],
    ['`status`, `drain`, `doctor`: RemoteMafaldaClient', noClientSettings],
  ] as const;
  const rows = tables.flatMap(([of, reasons]) =>
    Object.entries(reasons).map(([option, reason]) => [of, `\`${option}\``, reason]),
  );
  return `## Options that are no settings\n\n${tableOf(['command and class', 'option', 'it'], rows)}`;
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
