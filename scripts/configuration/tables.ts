/** Tables in pages. */

/** Returns a text for a cell of a table. */
export function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** Returns a table, or nothing if it has no rows. */
export function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const toLine = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return `${[toLine(header), `|${'---|'.repeat(header.length)}`, ...rows.map(toLine)].join('\n')}\n`;
}
