import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { page, withTables } from '../../scripts/protocol-tables.ts';

test('the page on the protocol tells the members and events that there are (npm run docs:protocol)', async () => {
  const text = await readFile(page, 'utf8');
  expect(text).toBe(withTables(text));
});
