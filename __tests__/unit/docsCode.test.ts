/** Code in pages: what a reader copies has to compile. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { anchorsOf } from '../helpers/anchors.ts';

const root = new URL('../../', import.meta.url);

interface Block {
  /** Page and line of the code’s beginning. */
  where: string;
  language: string;
  code: string;
}

async function blocks(...languages: string[]): Promise<Block[]> {
  const inDocs = (await readdir(new URL('docs/', root), { recursive: true })).map(file => `docs/${file}`);
  const pages = ['README.md', 'CONTRIBUTING.md', ...inDocs.filter(file => file.endsWith('.md'))];
  return pages.flatMap(page => {
    const text = readFileSync(new URL(page, root), 'utf8');
    return [...text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^ *```$/gm)].flatMap(
      ({ index, 2: language = '', 3: code = '' }) => {
        const line = text.slice(0, index).split('\n').length + 1;
        return languages.includes(language) ? [{ where: `${page}:${line}`, language, code }] : [];
      },
    );
  });
}

function textOf({ messageText }: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(messageText, '\n');
}

test('TypeScript in pages compiles, with the package as built', async () => {
  const sources = new Map<string, Block>();
  for (const [index, block] of (await blocks('ts')).entries())
    sources.set(fileURLToPath(new URL(`page-${index}.ts`, root)), block);
  expect(sources.size).toBeGreaterThan(5);
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(fileURLToPath(new URL('tsconfig.json', root)), path => ts.sys.readFile(path)).config,
    ts.sys,
    fileURLToPath(root),
  );
  const host = ts.createCompilerHost(options);
  const readFile = host.readFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  // `export {}` makes a module of it, which may await at its top.
  const codeOf = (path: string): string | undefined => {
    const block = sources.get(path);
    return block && `${block.code}\nexport {};\n`;
  };
  host.readFile = path => codeOf(path) ?? readFile(path);
  host.fileExists = path => sources.has(path) || fileExists(path);
  host.getSourceFile = (path, languageVersion) => {
    const text = host.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, text, languageVersion);
  };
  const program = ts.createProgram(
    [...sources.keys()],
    { ...options, noUnusedLocals: false, noUnusedParameters: false },
    host,
  );
  const mistakes = [...sources].flatMap(([path, { where }]) =>
    [
      ...program.getSyntacticDiagnostics(program.getSourceFile(path)),
      ...program.getSemanticDiagnostics(program.getSourceFile(path)),
    ].map(diagnostic => `${where}: ${textOf(diagnostic)}`),
  );
  expect(mistakes).toEqual([]);
});

test('JavaScript in pages can be parsed', async () => {
  const mistakes = (await blocks('js')).flatMap(({ where, code }) => {
    const { diagnostics = [] } = ts.transpileModule(code, {
      reportDiagnostics: true,
      fileName: 'page.mjs',
      compilerOptions: { allowJs: true, module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    });
    return diagnostics.map(diagnostic => `${where}: ${textOf(diagnostic)}`);
  });
  expect(mistakes).toEqual([]);
});

test('JSON in pages is JSON, of one value or of several', async () => {
  const mistakes = (await blocks('json')).flatMap(({ where, code }) => {
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

test('commands in pages can be parsed by a shell', async () => {
  const mistakes = (await blocks('sh')).flatMap(({ where, code }) => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
    return status === 0 ? [] : [`${where}: ${stderr}`];
  });
  expect(mistakes).toEqual([]);
});

test('links in pages lead to files and headings that are there', async () => {
  const inDocs = (await readdir(new URL('docs/', root), { recursive: true })).map(file => `docs/${file}`);
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...inDocs.filter(file => file.endsWith('.md'))];
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
