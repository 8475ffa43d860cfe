/** Draws what was measured: for each row a bar for each way, as long as its value, and where there is one a line up to a larger value beside it. */

export interface Bar {
  way: string;
  value: number;
  /** Up to where its line reaches. */
  upTo?: number;
  label: string;
}

export interface Row {
  what: string;
  bars: readonly Bar[];
}

export interface Drawing {
  title: string;
  /** Longer bars end here. */
  max: number;
  /** How much room the rows' names have. */
  left: number;
  /** In the order of their colours. */
  ways: readonly string[];
}

const WIDTH = 900;
const BAR = 9;
const GAP = 16;
const colours = ['#333333', '#c0504d', '#4f81bd', '#1f497d', '#4bacc6', '#8064a2', '#9bbb59', '#f79646'];
const LEGENDS_IN_LINE = 4;
const LEGEND_LINE = 16;

export function draw(rows: readonly Row[], { title, max, left, ways }: Drawing): string {
  const scale = (WIDTH - left - 70) / max;
  const x = (value: number): string => (left + Math.min(value, max) * scale).toFixed(1);
  const colourOf = (way: string): string => colours[ways.indexOf(way)] ?? colours[0]!;
  const lines: string[] = [];
  let y = 44 + LEGEND_LINE * Math.ceil(ways.length / LEGENDS_IN_LINE);
  for (const { what, bars } of rows) {
    lines.push(`<text x="${left - 10}" y="${y + (bars.length * BAR) / 2 + 4}" text-anchor="end">${what}</text>`);
    for (const { way, value, upTo = value, label } of bars) {
      const middle = y + BAR / 2;
      lines.push(
        `<rect x="${left}" y="${y + 1}" width="${(Math.min(value, max) * scale).toFixed(1)}" height="${BAR - 2}" fill="${colourOf(way)}"/>`,
      );
      if (upTo > value)
        lines.push(`<path d="M${x(value)} ${middle}H${x(upTo)}m0 -3v6" stroke="${colourOf(way)}" fill="none"/>`);
      lines.push(`<text x="${Number(x(upTo)) + 5}" y="${middle + 3}" font-size="8">${label}</text>`);
      y += BAR;
    }
    y += GAP;
  }
  const legend = ways.map((way, index) => {
    const [at, line] = [20 + (index % LEGENDS_IN_LINE) * 215, 28 + LEGEND_LINE * Math.floor(index / LEGENDS_IN_LINE)];
    return `<rect x="${at}" y="${line}" width="10" height="10" fill="${colours[index]}"/><text x="${at + 15}" y="${line + 9}">${way}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="11" fill="#222">`,
    `<rect width="${WIDTH}" height="${y}" fill="#fff"/>`,
    `<text x="20" y="18" font-size="13">${title}</text>`,
    ...legend,
    ...lines,
    '</svg>\n',
  ].join('\n');
}
