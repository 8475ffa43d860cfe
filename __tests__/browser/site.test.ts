/** The site of the documentation, as the generator makes it: its links, and its search in a browser. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { pagesOfIndex, root } from '../../scripts/site/index.ts';
import { launchBrowser } from './launchBrowser.ts';

/** A build takes some 15 s of CPU. */
const BUILD_TIMEOUT_MS = 240_000;
let site: string;

beforeAll(async () => {
  site = mkdtempSync(join(tmpdir(), 'mafalda-site-'));
  const script = fileURLToPath(new URL('../../scripts/site/write.ts', import.meta.url));
  // The generator warns of links that lead to no page or heading, and of types that are not exported: then it fails.
  await promisify(execFile)(process.execPath, ['--import', 'tsx', script, site], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}, BUILD_TIMEOUT_MS);
afterAll(() => rmSync(site, { recursive: true, force: true }));

test('every page is in the index, and so in the site', async () => {
  const files = await readdir(join(root, 'docs'), { recursive: true });
  const pages = files.filter(file => file.includes('/') && file.endsWith('.md')).map(file => `docs/${file}`);
  const listed = pagesOfIndex().map(({ path }) => path);
  expect(pages.filter(page => !listed.includes(page))).toEqual([]);
  expect(listed.filter((page, index) => listed.indexOf(page) !== index)).toEqual([]);
});

test('no link within the site is dead', async () => {
  const files = (await readdir(site, { recursive: true })).filter(file => file.endsWith('.html'));
  expect(files.length).toBeGreaterThan(100);
  const texts = new Map(
    files.map(file => [pathToFileURL(join(site, file)).href, readFileSync(join(site, file), 'utf8')]),
  );
  const dead: string[] = [];
  for (const [page, text] of texts) {
    for (const [, link] of text.matchAll(/(?:href|src)="([^"]*)"/g)) {
      const target = new URL(link!.replaceAll('&amp;', '&'), page);
      if (target.protocol !== 'file:') continue;
      const anchor = decodeURIComponent(target.hash.slice(1));
      target.hash = '';
      const there = texts.get(target.href);
      const isThere = anchor === '' ? existsSync(target) : (there?.includes(`id="${anchor}"`) ?? existsSync(target));
      if (!isThere) dead.push(`${page}: ${link}`);
    }
  }
  expect(dead).toEqual([]);
});

test('the search finds pages by their text, and the API by its names', async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(pathToFileURL(join(site, 'index.html')).href);
    const open = async (words: string, title: string): Promise<void> => {
      await page.locator('#tsd-search-trigger').click();
      await page.locator('#tsd-search-input').fill(words);
      await page.locator('#tsd-search-results a', { hasText: title }).first().click();
      await page.locator('h1', { hasText: title }).waitFor();
    };
    await open('RemoteMafaldaServerOptions', 'RemoteMafaldaServerOptions');
    await open('nftables', 'Addresses, NAT and firewalls');
    await open('pictures', 'How it works, in pictures');
    const widths = await page.evaluate<number[]>(
      `[...document.querySelectorAll('.tsd-typography img')].map(({ naturalWidth }) => naturalWidth)`,
    );
    expect(widths).toHaveLength(4);
    expect(Math.min(...widths)).toBeGreaterThan(0);
  } finally {
    await browser.close();
  }
});
