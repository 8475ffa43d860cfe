/** The page with the tables of all options, docs/reference/configuration.md. */
import * as v from 'valibot';
import { mafaldaRouterOptions } from '../../src/api/mafaldaRouterOptions.ts';
import { unwrap } from '../../src/api/optionsSchema.ts';
import { placementOptions } from '../../src/api/placement.ts';
import { autoscalerOptions } from '../../src/autoscale/autoscalerOptions.ts';
import { commandProvisionerOptions } from '../../src/autoscale/commandProvisioner.ts';
import { processProvisionerOptions } from '../../src/autoscale/processProvisioner.ts';
import { drainOptions } from '../../src/horizontal/drain.ts';
import { horizontalOptions } from '../../src/horizontal/horizontalOptions.ts';
import { mafaldaOptions } from '../../src/local/mafaldaOptions.ts';
import { workerBudgetOptions } from '../../src/local/workerBudget.ts';
import { redisDirectoryOptions } from '../../src/redis/redisDirectoryOptions.ts';
import { connectionOptions } from '../../src/remote/client/connectionOptions.ts';
import { nodeLimits } from '../../src/remote/client/nodeLimits.ts';
import { limits } from '../../src/remote/server/limits.ts';
import { serverDrainOptions, serverOptions } from '../../src/remote/server/serverOptions.ts';
import { swarmOptions } from '../../src/swarm/swarmOptions.ts';
import { plainTarget } from '../../src/remote/server/targets.ts';
import { docsOf } from './docstrings.ts';
import { escaped } from './tables.ts';

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

/** Returns the tables of all options. */
export function optionsTables(): string {
  return sections.map(toText).join('\n');
}

function toText({ title, schema, interfaces }: Section): string {
  const rows = Object.entries(schema.entries).map(([name, entry]) => {
    const { text, fallback } = docsOf(interfaces, name);
    const isRequired = entry === unwrap(entry);
    return `| \`${name}\` | ${takes(entry)} | ${isRequired ? 'required' : escaped(fallback)} | ${escaped(text)} |`;
  });
  return `## ${title}\n\n| option | takes | default | what for |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

/**
 * Returns words for the values that an option takes, with a link to the section of its members.
 * @param page path of the page with that section; default: the same one
 */
export function takes(entry: v.GenericSchema, page = ''): string {
  const schema = unwrap(entry);
  const members = 'getter' in schema ? (schema.getter as (given: unknown) => v.GenericSchema)({}) : schema;
  const words = escaped(v.getDescription(schema) ?? schema.expects);
  const item = 'item' in members ? (members.item as v.GenericSchema) : members;
  const section = sections.find(({ schema: other }) => other === item);
  return section ? `${words}: [${section.title}](${page}#${anchorOf(section.title)})` : words;
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}
