/** Draws what `firstFrame.ts` has measured: for each situation a bar for each way, as long as the median, and a line up to the 95th percentile. */

export interface Row {
  what: string;
  cells: { way: string; p50: number; p95: number; ratio: number }[];
}

const LEFT = 170;
const WIDTH = 900;
const BAR = 9;
const GAP = 16;
const MAX_MS = 1400;
const colours = ['#333333', '#c0504d', '#4f81bd', '#1f497d', '#4bacc6', '#8064a2'];

export function draw(rows: readonly Row[]): string {
  const scale = (WIDTH - LEFT - 70) / MAX_MS;
  const x = (ms: number): string => (LEFT + Math.min(ms, MAX_MS) * scale).toFixed(1);
  const lines: string[] = [];
  let y = 60;
  for (const { what, cells } of rows) {
    lines.push(`<text x="${LEFT - 10}" y="${y + (cells.length * BAR) / 2 + 4}" text-anchor="end">${what}</text>`);
    for (const [index, { p50, p95 }] of cells.entries()) {
      const middle = y + BAR / 2;
      lines.push(`<rect x="${LEFT}" y="${y + 1}" width="${(Math.min(p50, MAX_MS) * scale).toFixed(1)}" height="${BAR - 2}" fill="${colours[index]}"/>`);
      lines.push(`<path d="M${x(p50)} ${middle}H${x(p95)}m0 -3v6" stroke="${colours[index]}" fill="none"/>`);
      lines.push(`<text x="${Number(x(p95)) + 5}" y="${middle + 3}" font-size="8">${p50.toFixed(0)} / ${p95.toFixed(0)}</text>`);
      y += BAR;
    }
    y += GAP;
  }
  const legend = (rows[0]?.cells ?? []).map(({ way }, index) => {
    const left = 20 + index * 145;
    return `<rect x="${left}" y="28" width="10" height="10" fill="${colours[index]}"/><text x="${left + 15}" y="37">${way}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="11" fill="#222">`,
    `<rect width="${WIDTH}" height="${y}" fill="#fff"/>`,
    `<text x="20" y="18" font-size="13">Time to the first decoded frame, ms: bars p50, lines p95</text>`,
    ...legend,
    ...lines,
    '</svg>\n',
  ].join('\n');
}
