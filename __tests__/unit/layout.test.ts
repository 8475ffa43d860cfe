import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { coveredBy } from './coveredBy.ts';

const sources = new URL('../../src/', import.meta.url);
const tests = new URL('../', import.meta.url);

/** Whether a file does more than to declare types, and to pass on what others export. */
function hasCode(file: string): boolean {
  const text = readFileSync(new URL(file, sources), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  return /^(export )?(default )?(abstract |async )?(class|function|const|let)\b|^[\w#(]+.*[(=]/m.test(
    text.replace(/^(import|export) [^;]*?from '[^']*';|^export (type|interface) [\s\S]*?^\}?;?$/gm, ''),
  );
}

async function modules(): Promise<string[]> {
  const files = await readdir(sources, { recursive: true });
  return files.filter(file => file.endsWith('.ts')).map(file => file.slice(0, -'.ts'.length));
}

test('every source file has a test of its name, or says which tests cover it', async () => {
  const hasTest = (module: string): boolean => existsSync(new URL(`unit/${module}.test.ts`, tests));
  const untold = (await modules()).filter(
    module =>
      !hasTest(module) && !(module in coveredBy) && !/(^|\/)index$|^errors$/.test(module) && hasCode(`${module}.ts`),
  );
  expect(untold).toEqual([]);
});

test('what covers a file is there, and so is the file', () => {
  const gone = Object.entries(coveredBy).flatMap(([module, covering]) =>
    [new URL(`${module}.ts`, sources), ...covering.map(file => new URL(file, tests))].filter(file => !existsSync(file)),
  );
  expect(gone.map(({ pathname }) => pathname)).toEqual([]);
});

test('unit tests of one file lie where the file lies, or at the top of its layer', async () => {
  const layers = new Set((await modules()).filter(module => module.includes('/')).map(module => module.split('/')[0]));
  const folders = (await readdir(new URL('unit/', tests), { withFileTypes: true })).filter(entry =>
    entry.isDirectory(),
  );
  expect(folders.map(({ name }) => name).filter(name => !layers.has(name))).toEqual([]);
});
