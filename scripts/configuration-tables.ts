/**
 * Writes docs/reference/configuration.md, the tables of all options: `npm run docs:configuration`. What an option takes
 * comes from its schema, what it is for from the docstring of its interface.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import * as v from 'valibot';
import { mafaldaRouterOptions } from '../src/api/mafaldaRouterOptions.ts';
import { unwrap } from '../src/api/optionsSchema.ts';
import { placementOptions } from '../src/api/placement.ts';
import { autoscalerOptions } from '../src/autoscale/autoscalerOptions.ts';
import { commandProvisionerOptions } from '../src/autoscale/commandProvisioner.ts';
import { processProvisionerOptions } from '../src/autoscale/processProvisioner.ts';
import { drainOptions } from '../src/horizontal/drain.ts';
import { horizontalOptions } from '../src/horizontal/horizontalOptions.ts';
import { mafaldaOptions } from '../src/local/mafaldaOptions.ts';
import { workerBudgetOptions } from '../src/local/workerBudget.ts';
import { redisDirectoryOptions } from '../src/redis/redisDirectory.ts';
import { connectionOptions } from '../src/remote/client/connectionOptions.ts';
import { nodeLimits } from '../src/remote/client/nodeLimits.ts';
import { limits } from '../src/remote/server/limits.ts';
import { serverDrainOptions, serverOptions } from '../src/remote/server/serverOptions.ts';
import { swarmOptions } from '../src/swarm/swarmOptions.ts';
import { plainTarget } from '../src/remote/server/targets.ts';

const root = new URL('../', import.meta.url);
export const configurationPage = new URL('docs/reference/configuration.md', root);
const [begin, end] = ['<!-- generated: npm run docs:configuration -->', '<!-- end of what is generated -->'];

interface Section {
  title: string;
  schema: v.GenericSchema & { readonly entries: v.ObjectEntries };
  /** Interfaces that have the docstrings, the own one first. */
  interfaces: readonly string[];
}

export const sections: readonly Section[] = [
  { title: 'Mafalda', schema: mafaldaOptions, interfaces: ['MafaldaOptions', 'AddressOptions'] },
  { title: 'workerBudget', schema: workerBudgetOptions, interfaces: ['WorkerBudgetOptions'] },
  {
    title: 'RemoteMafaldaServer',
    schema: serverOptions,
    interfaces: ['RemoteMafaldaServerOptions', 'AddressOptions'],
  },
  { title: 'limits of a RemoteMafaldaServer', schema: limits, interfaces: ['Limits'] },
  { title: 'plainTargets', schema: plainTarget, interfaces: ['PlainTarget'] },
  { title: 'drain() of a RemoteMafaldaServer', schema: serverDrainOptions, interfaces: ['ServerDrainOptions'] },
  { title: 'RemoteMafaldaClient', schema: connectionOptions, interfaces: ['RemoteMafaldaClientOptions'] },
  { title: 'limits of a RemoteMafaldaClient', schema: nodeLimits, interfaces: ['NodeLimits'] },
  {
    title: 'MafaldaHorizontal',
    schema: horizontalOptions,
    interfaces: ['MafaldaHorizontalOptions', 'RemoteMafaldaClientOptions'],
  },
  { title: 'drain() of a MafaldaHorizontal', schema: drainOptions, interfaces: ['DrainOptions'] },
  { title: 'createMafaldaRouter()', schema: mafaldaRouterOptions, interfaces: ['MafaldaRouterOptions'] },
  { title: 'Autoscaler', schema: autoscalerOptions, interfaces: ['AutoscalerOptions', 'PlanOptions'] },
  { title: 'ProcessProvisioner', schema: processProvisionerOptions, interfaces: ['ProcessProvisionerOptions'] },
  { title: 'CommandProvisioner', schema: commandProvisionerOptions, interfaces: ['CommandProvisionerOptions'] },
  { title: 'RedisDirectory', schema: redisDirectoryOptions, interfaces: ['RedisDirectoryOptions'] },
  {
    title: 'MafaldaSwarm',
    schema: swarmOptions,
    interfaces: [
      'MafaldaSwarmOptions',
      'MafaldaHorizontalOptions',
      'RemoteMafaldaClientOptions',
      'RemoteMafaldaServerOptions',
    ],
  },
  { title: 'placement', schema: placementOptions, interfaces: ['Placement'] },
];

/** The page with its generated part as it has to be. */
export function withOptions(page: string): string {
  const [before, after] = [page.indexOf(begin), page.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${configurationPage.pathname} has no place for the tables`);
  return `${page.slice(0, before)}${begin}\n\n${sections.map(toText).join('\n')}\n${page.slice(after)}`;
}

function toText({ title, schema, interfaces }: Section): string {
  const rows = Object.entries(schema.entries).map(([name, entry]) => {
    const { text, fallback } = docsOf(interfaces, name);
    const isRequired = entry === unwrap(entry);
    return `| \`${name}\` | ${takes(entry)} | ${isRequired ? 'required' : fallback} | ${text} |`;
  });
  return `## ${title}\n\n| option | takes | default | what for |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

/** Words for the values that an option takes, with a link to the section of its members. */
function takes(entry: v.GenericSchema): string {
  const schema = unwrap(entry);
  const members = 'getter' in schema ? (schema.getter as (given: unknown) => v.GenericSchema)({}) : schema;
  const words = escaped(v.getDescription(schema) ?? schema.expects);
  const item = 'item' in members ? (members.item as v.GenericSchema) : members;
  const section = sections.find(({ schema: other }) => other === item);
  return section ? `${words}: [${section.title}](#${anchorOf(section.title)})` : words;
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

interface Docs {
  text: string;
  /** Text of `@default`. */
  fallback: string;
}

/** @throws {Error} if no interface has a docstring for the option, with a default unless it is required */
export function docsOf(interfaces: readonly string[], option: string): Docs {
  const found = interfaces.map(name => docstrings().get(`${name}.${option}`)).find(docs => docs !== undefined);
  if (!found) throw new Error(`${interfaces.join(', ')}: no docstring of ${option}`);
  return found;
}

let known: Map<string, Docs> | undefined;

/** Docstrings of the members of all interfaces, by `Interface.member`. */
function docstrings(): Map<string, Docs> {
  if (known) return known;
  known = new Map();
  const folder = new URL('src/', root);
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    for (const statement of ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true).statements) {
      if (!ts.isInterfaceDeclaration(statement)) continue;
      for (const member of statement.members) {
        const [comment] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
        if (!comment || !member.name) continue;
        const fallback = comment.tags?.find(({ tagName }) => tagName.text === 'default')?.comment;
        known.set(`${statement.name.text}.${member.name.getText()}`, {
          text: toLine(comment.comment),
          fallback: toLine(fallback),
        });
      }
    }
  }
  return known;
}

function toLine(comment: string | ts.NodeArray<ts.JSDocComment> | undefined): string {
  return escaped((ts.getTextOfJSDocComment(comment) ?? '').replace(/\s+/g, ' ').trim());
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (process.argv[1] === new URL('scripts/configuration-tables.ts', root).pathname) {
  await writeFile(configurationPage, withOptions(await readFile(configurationPage, 'utf8')));
}
