/** The index of all pages, docs/README.md: it gives the site its sections, and their order. */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
const INDEX = 'docs/README.md';

export interface Page {
  /** Path from the root of the project. */
  path: string;
  /** Heading of the index under which it stands. */
  section: string;
}

/** Returns all pages in the order of the index, without the README, which is the first page of the site. */
export function pagesOfIndex(): Page[] {
  const pages: Page[] = [];
  let section = '';
  for (const line of readFileSync(root + INDEX, 'utf8').split('\n')) {
    section = /^## (.*)$/.exec(line)?.[1] ?? section;
    if (!line.startsWith('- ')) continue;
    for (const [, link] of line.matchAll(/\]\(([^)#]+\.md)\)/g))
      pages.push({ path: posix.join(posix.dirname(INDEX), link!), section });
  }
  return pages;
}
