/** Code in pages: what a reader copies has to compile. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import { pagesOfIndex } from '../../scripts/site/index.ts';
import { commands } from '../../src/cli/commands.ts';
import { argumentOf } from '../../src/cli/settings/names.ts';
import { anchorsOf } from '../helpers/anchors.ts';

const root = new URL('../../', import.meta.url);

interface Block {
  /** Page and line of the code’s beginning. */
  where: string;
  language: string;
  code: string;
}

/** Pages of the site: the tests of it see to it that there are no others. */
const pages = ['README.md', 'docs/README.md', ...pagesOfIndex().map(({ path }) => path)];

const blocks = pages.flatMap(page => {
  const text = readFileSync(new URL(page, root), 'utf8');
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)].map(
    ({ index, 2: language = '', 3: code = '' }): Block => {
      const line = text.slice(0, index).split('\n').length + 1;
      return { where: `${page}:${line}`, language, code };
    },
  );
});

function blocksIn(language: string): Block[] {
  return blocks.filter(block => block.language === language);
}

function textOf({ messageText }: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(messageText, '\n');
}

const { options: projectOptions } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(fileURLToPath(new URL('tsconfig.json', root)), path => ts.sys.readFile(path)).config,
  ts.sys,
  fileURLToPath(root),
);

/** Declarations, which all blocks share. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Compiles each block as a module beside the project's files, with the package as built. @returns the mistakes */
function compile(sources: readonly Block[], options: ts.CompilerOptions, ignored: readonly number[] = []): string[] {
  const files = new Map(
    sources.map((block, index) => [
      fileURLToPath(new URL(`page-${block.language}-${index}.ts`, root)),
      // `export {}` makes a module of it, which may await at its top.
      { ...block, code: `${block.code}\nexport {};\n` },
    ]),
  );
  const host = ts.createCompilerHost(projectOptions);
  const readFile = host.readFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  host.readFile = path => files.get(path)?.code ?? readFile(path);
  host.fileExists = path => files.has(path) || fileExists(path);
  host.getSourceFile = (path, languageVersion) => {
    if (!parsed.has(path)) {
      const text = host.readFile(path);
      parsed.set(path, text === undefined ? undefined : ts.createSourceFile(path, text, languageVersion));
    }
    return parsed.get(path);
  };
  const lenient = { noUnusedLocals: false, noUnusedParameters: false };
  const program = ts.createProgram([...files.keys()], { ...projectOptions, ...lenient, ...options }, host);
  return [...files].flatMap(([path, { where }]) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
      .filter(({ code }) => !ignored.includes(code))
      .map(diagnostic => `${where}: ${textOf(diagnostic)}`);
  });
}

test('TypeScript in pages compiles', () => {
  expect(blocksIn('ts').length).toBeGreaterThan(5);
  expect(compile(blocksIn('ts'), {})).toEqual([]);
});

/** Errors that a part of a program has: names that the rest declares, twice in one block, and `return` at the top. */
const OF_A_PART = [2304, 2552, 18004, 2300, 2451, 1108];

test('JavaScript in pages compiles, but for names that the rest of the program declares', () => {
  expect(blocksIn('js').length).toBeGreaterThan(20);
  expect(compile(blocksIn('js'), { strict: false }, OF_A_PART)).toEqual([]);
});

test('JSON in pages is JSON, of one value or of several', () => {
  const mistakes = blocksIn('json').flatMap(({ where, code }) => {
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    return isJson(code) || code.split(/\n(?=\{)/).every(isJson) ? [] : [where];
  });
  expect(mistakes).toEqual([]);
});

test('commands in pages can be parsed by a shell', () => {
  const mistakes = blocksIn('sh').flatMap(({ where, code }) => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
    return status === 0 ? [] : [`${where}: ${stderr}`];
  });
  expect(mistakes).toEqual([]);
});

test('calls of the command in pages name commands and settings that there are', () => {
  let found = 0;
  const unknown = blocksIn('sh').flatMap(({ where, code }) =>
    [
      ...code.replaceAll(/\\\n/g, ' ').matchAll(/(?:^|[;|&('] *)(?:npx |\S+=\S+ )*mafalda-horizontal ([^\n|;&#')]*)/gm),
    ].flatMap(([, call]) => {
      ++found;
      const [name, ...words] = call!.trim().split(/\s+/);
      const command = commands.find(one => one.name === name);
      if (!command) return [`${where}: ${name}`];
      const known = [...Object.keys(command.settings).map(argumentOf), '--config', '--help'];
      return words
        .filter(word => word.startsWith('--') && !known.includes(word))
        .map(word => `${where}: ${name} ${word}`);
    }),
  );
  expect(unknown).toEqual([]);
  expect(found).toBeGreaterThan(30);
});

test('scripts of the package that pages name are there', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { scripts: object };
  const missing = pages.flatMap(page =>
    [...readFileSync(new URL(page, root), 'utf8').matchAll(/npm run (?:--silent )?([\w:-]+)/g)]
      .filter(([, name]) => !(name! in scripts))
      .map(([call]) => `${page}: ${call}`),
  );
  expect(missing).toEqual([]);
});

test('YAML in pages can be parsed', () => {
  const mistakes = blocksIn('yaml').flatMap(({ where, code }) =>
    parseAllDocuments(code).flatMap(({ errors }) => errors.map(({ message }) => `${where}: ${message}`)),
  );
  expect(mistakes).toEqual([]);
});

test('what a change of a page’s code leads to can be parsed, and so can what it comes from', () => {
  const mistakes = blocksIn('diff').flatMap(({ where, code }) =>
    ['-', '+'].flatMap(sign => {
      const lines = code.split('\n').filter(line => line.startsWith(sign) || line.startsWith(' '));
      const { diagnostics = [] } = ts.transpileModule(lines.map(line => line.slice(1)).join('\n'), {
        reportDiagnostics: true,
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
      });
      return diagnostics.map(diagnostic => `${where}: ${textOf(diagnostic)}`);
    }),
  );
  expect(mistakes).toEqual([]);
});

test('blocks of other languages show outputs, and files of programs that are not ours', () => {
  const checked = ['ts', 'js', 'json', 'sh', 'yaml', 'diff'];
  const others = blocks.filter(({ language }) => !checked.includes(language));
  expect([...new Set(others.map(({ language }) => language))].sort()).toEqual(['', 'ini']);
});

test('links in pages lead to files and headings that are there', () => {
  const dead: string[] = [];
  for (const page of pages) {
    const text = readFileSync(new URL(page, root), 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link!)) continue;
      const target = new URL(link!, new URL(page, root));
      const anchor = target.hash.slice(1);
      target.hash = '';
      const isThere = existsSync(target) && (anchor === '' || anchorsOf(target).includes(anchor));
      if (!isThere) dead.push(`${page}: ${link}`);
    }
  }
  expect(dead).toEqual([]);
});
