import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import ts from 'typescript';
import * as v from 'valibot';
import { docsOf } from '../../scripts/configuration/docstrings.ts';
import { generated } from '../../scripts/configuration/generated.ts';
import { sections } from '../../scripts/configuration/optionsPage.ts';
import { strategies } from '../../src/placement/strategies.ts';
import { page, withTables } from '../../scripts/protocol-tables.ts';

const root = new URL('../../', import.meta.url);

async function pages(): Promise<string[]> {
  const files = await readdir(new URL('docs/', root), { recursive: true });
  return ['README.md', 'CONTRIBUTING.md', ...files.filter(file => file.endsWith('.md')).map(file => `docs/${file}`)];
}

test('the page on the protocol tells the members and events that there are (npm run docs:protocol)', async () => {
  const text = await readFile(page, 'utf8');
  expect(text).toBe(withTables(text));
});

test('the pages on options and on the command, and its help, tell the options that there are (npm run docs:configuration)', async () => {
  for (const { present, text } of await generated()) expect(present).toBe(text);
});

test('defaults in docstrings are those of the schemas', () => {
  for (const { schema, interfaces } of sections) {
    for (const [name, entry] of Object.entries(schema.entries)) {
      const fallback: unknown = v.getDefault(entry);
      const { fallback: told } = docsOf(interfaces, name);
      const [literal] = /^(-?[\d.]+|'[^']*'|true|false)$/.exec(told) ?? [];
      if (literal !== undefined)
        expect({ name, told }).toEqual({
          name,
          told: String(typeof fallback === 'string' ? `'${fallback}'` : fallback),
        });
    }
  }
});

test('the guide and the help of the command name every strategy', async () => {
  const guide = await readFile(new URL('docs/guides/media-servers.md', root), 'utf8');
  const names = Object.keys(strategies);
  expect(names.filter(name => !guide.includes(`\n| \`${name}\``))).toEqual([]);
  const { text } = docsOf(['ClusterSettings'], 'strategy');
  expect(names.filter(name => !text.includes(`\`${name}\``))).toEqual([]);
});

test('files of the sources that pages name are there', async () => {
  const layers = (await readdir(new URL('src/', root), { withFileTypes: true }))
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name);
  const named = new RegExp(`\`((?:src/)?(?:${layers.join('|')})/[\\w/]+)(?:\\.ts)?\``, 'g');
  const missing: string[] = [];
  let found = 0;
  for (const file of await pages()) {
    const text = await readFile(new URL(file, root), 'utf8');
    for (const [, path] of text.matchAll(named)) {
      ++found;
      const source = `src/${path!.replace(/^src\//, '')}`;
      if (!existsSync(new URL(`${source}.ts`, root)) && !existsSync(new URL(source, root)))
        missing.push(`${file}: ${path}`);
    }
  }
  expect(missing).toEqual([]);
  expect(found).toBeGreaterThan(20);
});

test('the README counts the lines that change in the example of a migration', () => {
  const [application, before, after] = ['conference', 'media.oneMachine', 'media.manyMachines'].map(name =>
    readFileSync(new URL(`examples/migrate/${name}.ts`, root), 'utf8')
      .split('\n')
      .filter(Boolean),
  ) as [string[], string[], string[]];
  const changed = Math.max(
    before.filter(line => !after.includes(line)).length,
    after.filter(line => !before.includes(line)).length,
  );
  expect(readFileSync(new URL('README.md', root), 'utf8')).toContain(
    `of its ${application.length + before.length} lines ${changed} change`,
  );
});

/** Words of names that are mediasoup's, and plain ones that need no explanation. */
const otherWords = new Set(
  (
    'worker router transport producer consumer observer rtp web rtc server setting signs target ' +
    'event facts listener listeners log reason set statistics ' +
    'address addresses all api auth budget call candidate chosen close closed code concentrate connect counts default details dump dumped error events failure first full get horizontal host id ' +
    'incompatible key least limit limits loaded mediasoup object of omit optional options out path placement plain provision ready refused region remote report request resolved resource state strategies strategy ' +
    'time timeout to token two types union choices unavailable unsupported usage usages when'
  ).split(' '),
);

/** Names that a module exports, those included that it passes on. */
function exportedNames(file: URL): string[] {
  const source = ts.createSourceFile(file.pathname, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  return source.statements.flatMap(statement => {
    if (ts.isExportDeclaration(statement)) {
      if (statement.exportClause && ts.isNamedExports(statement.exportClause))
        return statement.exportClause.elements.map(({ name }) => name.text);
      return exportedNames(new URL((statement.moduleSpecifier as ts.StringLiteral).text, file));
    }
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported) return [];
    if (!ts.isVariableStatement(statement)) return [(statement as ts.DeclarationStatement).name!.getText(source)];
    return statement.declarationList.declarations.flatMap(({ name }) =>
      ts.isObjectBindingPattern(name)
        ? name.elements.map(element => element.name.getText(source))
        : [name.getText(source)],
    );
  });
}

test('public names are made of the glossary’s words, of mediasoup’s, and of plain ones', async () => {
  const glossary = await readFile(new URL('docs/reference/glossary.md', root), 'utf8');
  const terms = [...glossary.matchAll(/^\| ([A-Za-z, ]+) \|/gm)].flatMap(([, term]) =>
    term!.toLowerCase().split(/[, ]+/),
  );
  const isKnown = (word: string): boolean => terms.includes(word) || otherWords.has(word);
  const names = exportedNames(new URL('src/index.ts', root));
  expect(names.length).toBeGreaterThan(60);
  const wordsOf = (name: string): string[] => (name.match(/[A-Z]?[a-z]+/g) ?? []).map(word => word.toLowerCase());
  const unexplained = names.filter(
    name => !wordsOf(name).every(word => isKnown(word) || isKnown(word.replace(/s$/, ''))),
  );
  expect(unexplained).toEqual([]);
});
