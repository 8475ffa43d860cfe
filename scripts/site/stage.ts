/** Copies of the pages as the generator needs them: with a title and a section, and with links that lead somewhere in the site. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { pagesOfIndex, root, type Page } from './index.ts';

/** Folder of the copies, which have the paths of their originals below it. */
export const stage = join(root, 'node_modules/.cache/site-pages');

/** Makes the copies anew, and returns their files in the order of the index; the first page comes first. */
export function stagePages(): string[] {
  rmSync(stage, { recursive: true, force: true });
  const pages = pagesOfIndex();
  const paths = new Set(['README.md', ...pages.map(({ path }) => path)]);
  return [{ path: 'README.md', section: undefined }, ...pages].map(page => stagePage(page, paths));
}

function stagePage(
  { path, section }: Omit<Page, 'section'> & { section: string | undefined },
  paths: ReadonlySet<string>,
): string {
  const text = readFileSync(join(root, path), 'utf8');
  const title = /^# (.*)$/m.exec(text)?.[1];
  if (title === undefined) throw new Error(`${path} has no heading`);
  // The first page has the name of the package as its title already.
  const body = section === undefined ? text.replace(/^# .*$/m, '') : text;
  const front =
    section === undefined
      ? ''
      : `---\ntitle: ${JSON.stringify(plain(title))}\ngroup: ${JSON.stringify(section)}\n---\n\n`;
  const file = join(stage, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, front + withLinks(body, path, paths));
  return file;
}

/** Takes the marks out of a heading. */
function plain(title: string): string {
  return title.replaceAll('`', '');
}

/** Leads links to files that are no pages to copies of theirs, and takes away those that lead to folders. */
function withLinks(text: string, path: string, paths: ReadonlySet<string>): string {
  return outsideOfCode(text, part =>
    part.replace(
      /(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)/g,
      (link: string, image: string, words: string, target: string, anchor = '') => {
        const found = posix.join(posix.dirname(path), target).replace(/\/$/, '');
        if (paths.has(found)) return link;
        if (paths.has(`${found}/README.md`)) return `[${words}](${target.replace(/\/$/, '')}/README.md${anchor})`;
        if (!existsSync(join(root, found))) throw new Error(`${path} links to ${target}, which is not there`);
        if (statSync(join(root, found)).isDirectory()) return words;
        return `${image}[${words}](${relative(dirname(join(stage, path)), stageFile(found))})`;
      },
    ),
  );
}

/** Copies a file that pages show or link to; sources as texts, which every browser shows. */
function stageFile(path: string): string {
  const copy = join(stage, path) + (/\.(svg|png)$/.test(path) ? '' : '.txt');
  mkdirSync(dirname(copy), { recursive: true });
  cpSync(join(root, path), copy);
  return copy;
}

function outsideOfCode(text: string, change: (part: string) => string): string {
  return text
    .split(/(^ *```[\s\S]*?^ *```$)/m)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('');
}
