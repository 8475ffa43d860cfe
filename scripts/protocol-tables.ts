/** Writes the part of docs/reference/protocol.md that follows from the table of classes: `npm run docs:protocol`. */
import { readFile, writeFile } from 'node:fs/promises';
import { mafaldaRouterCalls, mafaldaRouterCreates, mafaldaRouterMemberCalls } from '../src/remote/protocol/calls.ts';
import { classes, descriptionOf, type ClassName } from '../src/remote/protocol/classes.ts';
import { membersOf, type ClassDescription, type EventKind } from '../src/remote/protocol/describe.ts';

export const page = new URL('../docs/reference/protocol.md', import.meta.url);
const [begin, end] = ['<!-- generated: npm run docs:protocol -->', '<!-- end of what is generated -->'];

/** The page with its generated part as it has to be. */
export function withTables(text: string): string {
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${page.pathname} has no place for the tables`);
  return `${text.slice(0, before)}${begin}\n\n${tables()}\n${text.slice(after)}`;
}

function tables(): string {
  const isCreate = (name: string): boolean => (mafaldaRouterCreates as readonly string[]).includes(name);
  const rest = mafaldaRouterCalls.filter(name => !isCreate(name));
  const mafaldaRouter = list('MafaldaRouter', '', [
    ['calls that create', mafaldaRouterCreates],
    ['calls', [...rest, ...mafaldaRouterMemberCalls]],
  ]);
  return [mafaldaRouter, ...(Object.keys(classes) as ClassName[]).map(describe)].join('\n');
}

function describe(name: ClassName): string {
  const description = descriptionOf(name);
  const events = (...kinds: EventKind[]): string[] =>
    Object.keys(description.events).filter(event => kinds.includes(description.events[event]!));
  const { announcement, closedByParent, closedBy } = description;
  const reasons = closedBy.length > 0 ? [`for a reason of its own (${codes(closedBy)})`] : [];
  // A Worker has no parent.
  if (!closedBy.includes(closedByParent)) reasons.unshift(`with its parent (\`${closedByParent}\`)`);
  return list(name, `Announced by \`${announcement}\`; closes ${['by itself', ...reasons].join(', ')}.`, [
    ['fixed', membersOf(description, 'fixed')],
    ['changing', membersOf(description, 'changing'), property => eventsOfProperty(description, property)],
    ['calls', membersOf(description, 'call')],
    ['calls that create', membersOf(description, 'create')],
    ['without an answer', membersOf(description, 'send', 'closing')],
    ['events of object and `observer`', events('both')],
    ['events of the object', events('object')],
    ['events of its `observer`', events('observer')],
    ['events for listeners', events('listened')],
  ]);
}

/** The event that a client makes of a changed property when it has missed the event itself. */
function eventsOfProperty({ stateEvents = {} }: ClassDescription, property: string): string {
  const event = stateEvents[property];
  if (event === undefined) return '';
  return typeof event === 'string' ? ` (${codes([event])})` : ` (${codes(event)})`;
}

function list(
  title: string,
  text: string,
  rows: [what: string, names: readonly string[], comment?: (name: string) => string][],
): string {
  const lines = rows
    .filter(([, names]) => names.length > 0)
    .map(
      ([what, names, comment = () => '']) =>
        `- ${what}: ${names.map(name => `\`${name}\`${comment(name)}`).join(', ')}`,
    );
  return `### ${title}\n\n${text && `${text}\n\n`}${lines.join('\n')}\n`;
}

function codes(names: readonly string[]): string {
  return names.map(name => `\`${name}\``).join(', ');
}

if (process.argv[1] === page.pathname.replace('docs/reference/protocol.md', 'scripts/protocol-tables.ts')) {
  await writeFile(page, withTables(await readFile(page, 'utf8')));
}
