/** Pages and texts that are generated of the options: two pages, and the texts of the command's help. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { commandSections } from './commandPage.ts';
import { descriptionsModule } from './descriptions.ts';
import { optionsTables } from './optionsPage.ts';

const [begin, end] = ['<!-- generated: npm run docs:configuration -->', '<!-- end of what is generated -->'];

const pages = {
  'docs/reference/configuration.md': optionsTables,
  'docs/reference/command.md': commandSections,
};

export interface Generated {
  file: string;
  /** Text as it is. */
  present: string;
  /** Text as it has to be. */
  text: string;
}

/** Returns all that is generated, as it is and as it has to be. */
export async function generated(): Promise<Generated[]> {
  const written = Object.entries(pages).map(async ([path, toText]) => {
    const file = pathOf(path);
    const present = await readFile(file, 'utf8');
    return { file, present, text: withPart(file, present, toText()) };
  });
  const file = pathOf('src/cli/settings/descriptions.ts');
  const descriptions = { file, present: await readFile(file, 'utf8'), text: await descriptionsModule(file) };
  return [...(await Promise.all(written)), descriptions];
}

function pathOf(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

function withPart(file: string, page: string, part: string): string {
  const [before, after] = [page.indexOf(begin), page.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${file} has no place for what is generated`);
  return `${page.slice(0, before)}${begin}\n\n${part}\n${page.slice(after)}`;
}
