/**
 * Builds the site of the documentation by TypeDoc: the pages of docs/, the reference of all that the package exports,
 * from its docstrings, and a search over both.
 */
import { join } from 'node:path';
import { Application, LogLevel, type ProjectReflection } from 'typedoc';
import { root } from './index.ts';
import { stagePages } from './stage.ts';

/** Folder of the site, which can be served from anywhere, and opened without a server. */
export const site = join(root, 'site');

/** Entries of the package, by their files. */
const entries: Readonly<Record<string, string>> = {
  'src/index.ts': 'mafalda-horizontal',
  'src/local/index.ts': 'mafalda-horizontal/mafalda',
  'src/remote/index.ts': 'mafalda-horizontal/remote',
  'src/errors.ts': 'mafalda-horizontal/errors',
  'src/redis/index.ts': 'mafalda-horizontal/redis',
  'src/autoscale/index.ts': 'mafalda-horizontal/autoscale',
  'src/swarm/index.ts': 'mafalda-horizontal/swarm',
  'src/metrics/index.ts': 'mafalda-horizontal/metrics',
  'src/mediasoup.ts': 'mafalda-horizontal/mediasoup',
  'src/register.ts': 'mafalda-horizontal/register',
};

/**
 * @param out folder of the site
 * @throws {Error} for a link that leads nowhere, a name that is not exported, or anything else that TypeDoc warns of
 */
export async function buildSite(out = site): Promise<void> {
  const [readme, ...projectDocuments] = stagePages();
  const application = await Application.bootstrap({
    name: 'mafalda-horizontal',
    entryPoints: Object.keys(entries).map(file => join(root, file)),
    tsconfig: join(root, 'tsconfig.build.json'),
    readme: readme!,
    projectDocuments,
    includeVersion: true,
    searchInDocuments: true,
    sortEntryPoints: false,
    sort: ['documents-first', 'source-order'],
    navigation: { includeGroups: true, includeCategories: false, includeFolders: false },
    validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true, rewrittenLink: false },
    requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias', 'Variable', 'Function', 'Method', 'GetSignature'],
    highlightLanguages: ['bash', 'diff', 'ini', 'javascript', 'json', 'shellscript', 'typescript', 'yaml'],
    disableSources: true,
    excludeProtected: true,
    skipErrorChecking: true,
    groupOrder: [
      'Start',
      'Concepts',
      'Guides',
      'Reference',
      'Decisions',
      'Examples',
      'The project',
      'API',
      'Modules',
      '*',
    ],
    logLevel: LogLevel.Warn,
  });
  const project = await application.convert();
  if (project) {
    nameEntries(project);
    application.validate(project);
    await application.generateDocs(project, out);
  }
  if (application.logger.hasErrors() || application.logger.hasWarnings() || !project)
    throw new Error('the site is not whole: see what TypeDoc says');
}

/** Calls the entries of the package as applications import them. */
function nameEntries(project: ProjectReflection): void {
  const names = Object.values(entries);
  for (const group of project.groups ?? []) {
    if (group.title !== 'Modules') continue;
    group.title = 'API';
    for (const [index, entry] of group.children.entries()) entry.name = names[index]!;
  }
}
