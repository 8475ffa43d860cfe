/** The package as npm makes it: what is in it leads to nothing that is not, and TypeScript finds its types in every way. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { entries } from '../helpers/declarations.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('the package', () => {
  let files: string[];

  beforeAll(() => {
    const [{ files: packed }] = JSON.parse(
      execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }),
    ) as [{ files: { path: string }[] }];
    files = packed.map(({ path }) => path);
  });

  test('has its entries, their sources, docs and examples, and nothing of the tests or of what is generated for examples', () => {
    const folders = new Set(files.map(file => (file.includes('/') ? `${file.split('/')[0]}/` : file)));
    expect([...folders].sort()).toEqual(
      [
        'CHANGELOG.md',
        'CONTRIBUTING.md',
        'LICENSE',
        'README.md',
        'RELEASING.md',
        'SECURITY.md',
        'deploy/',
        'dist/',
        'docs/',
        'examples/',
        'package.json',
        'src/',
      ].sort(),
    );
    expect(files.filter(file => file.includes('bundle.js'))).toEqual([]);
  });

  test('has pages whose links lead into it, or to the web', () => {
    const pages = files.filter(file => file.endsWith('.md'));
    const isThere = (path: string): boolean => files.some(file => file === path || file.startsWith(`${path}/`));
    const broken = pages.flatMap(page => {
      const links = readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g);
      return [...links]
        .map(([, link]) => posix.join(posix.dirname(page), link!).replace(/\/$/, ''))
        .filter(path => !isThere(path))
        .map(path => `${page}: ${path}`);
    });
    expect(broken).toEqual([]);
    expect(pages.length).toBeGreaterThan(10);
  });

  test('has the sources that its source maps lead to', () => {
    const maps = files.filter(file => file.startsWith('dist/') && file.endsWith('.map'));
    expect(maps.length).toBeGreaterThan(50);
    const missing = maps.flatMap(file => {
      const { sources } = JSON.parse(readFileSync(join(root, file), 'utf8')) as { sources: string[] };
      return sources.map(source => posix.join(posix.dirname(file), source)).filter(source => !files.includes(source));
    });
    expect(missing).toEqual([]);
  });
});

test('typesVersions have each entry, for node10, which knows no exports', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    types: string;
    typesVersions: { '*': Record<string, string[]> };
  };
  const expected = [...entries].map(
    ([name, file]) => [name.slice(2), [`./${relative(root, file).replace('dist/', 'dist/node10/')}`]] as const,
  );
  expect({ '': [manifest.types], ...manifest.typesVersions['*'] }).toEqual(Object.fromEntries(expected));
});

describe('TypeScript', () => {
  let folder: string;
  /** Declarations of the language and of Node.js, which are the same for all. */
  const common = new Map<string, ts.SourceFile | undefined>();

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mafalda-consumer-'));
    mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true });
    symlinkSync(root, join(folder, 'node_modules', 'mafalda-horizontal'));
    for (const name of ['mediasoup', '@types/node'])
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    copyFileSync(join(root, '__tests__', 'types', 'consumer.ts'), join(folder, 'consumer.ts'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  function compile(options: ts.CompilerOptions): string[] {
    const all: ts.CompilerOptions = {
      ...options,
      target: ts.ScriptTarget.ES2023,
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      types: ['node'],
      typeRoots: [join(folder, 'node_modules', '@types')],
      noEmit: true,
    };
    const host = ts.createCompilerHost(all);
    const getSourceFile = host.getSourceFile.bind(host);
    host.getSourceFile = (file, ...rest) => {
      if (!/node_modules\/(typescript\/lib|@types\/node)\//.test(file)) return getSourceFile(file, ...rest);
      if (!common.has(file)) common.set(file, getSourceFile(file, ...rest));
      return common.get(file);
    };
    const program = ts.createProgram([join(folder, 'consumer.ts')], all, host);
    const diagnostics = [
      ...program.getOptionsDiagnostics(),
      ...program
        .getSourceFiles()
        .filter(({ fileName }) => fileName.startsWith(folder) || fileName.startsWith(join(root, 'dist')))
        .flatMap(source => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]),
    ];
    return diagnostics.map(
      ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  }

  test.each([
    [
      'node10',
      {
        module: ts.ModuleKind.CommonJS,
        moduleResolution: ts.ModuleResolutionKind.Node10,
        ignoreDeprecations: '6.0',
        esModuleInterop: true,
      },
    ],
    ['node16', { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 }],
    ['bundler', { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }],
  ])('finds all types by moduleResolution %s, and takes what the guides show', (_name, options) => {
    expect(compile(options)).toEqual([]);
  });
});
