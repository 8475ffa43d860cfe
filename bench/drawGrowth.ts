/** Draws how numbers grow with a size, of which each step is several times the one before: panels with a few curves each. */

export interface Panel {
  title: string;
  unit: string;
  /** Values of each curve by its name, one for each size. */
  curves: Readonly<Record<string, readonly number[]>>;
}

export interface Growth {
  title: string;
  /** Unit of the sizes. */
  of: string;
  sizes: readonly number[];
  panels: readonly Panel[];
}

const PANELS_IN_ROW = 2;
const WIDTH = 450;
const HEIGHT = 210;
const TITLE = 30;
const LEGEND_LINE = 14;
const [LEFT, RIGHT, BOTTOM] = [60, 45, 30];
const LINES = 4;
const colours = ['#1f497d', '#c0504d', '#9bbb59', '#8064a2'];

const show = (value: number): string => value.toLocaleString('en', { maximumSignificantDigits: 3 });

export function drawGrowth({ title, of, sizes, panels }: Growth): string {
  const rows = Math.ceil(panels.length / PANELS_IN_ROW);
  const drawn = panels.map((panel, index) => {
    const [x, y] = [(index % PANELS_IN_ROW) * WIDTH, TITLE + Math.floor(index / PANELS_IN_ROW) * HEIGHT];
    return `<g transform="translate(${x} ${y})">\n${drawPanel(panel, sizes, of)}\n</g>`;
  });
  const [width, height] = [PANELS_IN_ROW * WIDTH, TITLE + rows * HEIGHT];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="#222">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="20" y="18" font-size="13">${title}</text>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ title, unit, curves }: Panel, sizes: readonly number[], of: string): string {
  const entries = Object.entries(curves);
  const top = 22 + LEGEND_LINE * entries.length;
  const step = roundUp(Math.max(...entries.flatMap(([, values]) => values)) / LINES);
  const [smallest, largest] = [Math.log(sizes[0]!), Math.log(sizes.at(-1)!)];
  const share = (size: number): number => (largest > smallest ? (Math.log(size) - smallest) / (largest - smallest) : 0);
  const x = (size: number): string => (LEFT + share(size) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (value: number): string =>
    (HEIGHT - BOTTOM - (value / (LINES * step)) * (HEIGHT - BOTTOM - top)).toFixed(1);
  const lines = [`<text x="${LEFT}" y="12" font-weight="bold">${title}</text>`];
  for (let value = 0; value <= LINES * step; value += step)
    lines.push(
      `<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" stroke="#ddd"/>`,
      `<text x="${LEFT - 6}" y="${Number(y(value)) + 4}" text-anchor="end">${show(value)}</text>`,
    );
  for (const size of sizes)
    lines.push(
      `<text x="${x(size)}" y="${HEIGHT - 14}" text-anchor="middle">${size.toLocaleString('en')} ${of}</text>`,
    );
  for (const [index, [name, values]] of entries.entries()) {
    const colour = colours[index % colours.length]!;
    const points = values.map((value, at) => `${x(sizes[at]!)},${y(value)}`);
    const figures = values.map(value => `${show(value)}${unit}`).join(', ');
    lines.push(
      `<rect x="${LEFT}" y="${17 + LEGEND_LINE * index}" width="10" height="10" fill="${colour}"/>`,
      `<text x="${LEFT + 15}" y="${26 + LEGEND_LINE * index}">${name}: ${figures}</text>`,
      `<polyline points="${points.join(' ')}" stroke="${colour}" stroke-width="1.5" fill="none"/>`,
      ...points.map(
        point => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="2.5" fill="${colour}"/>`,
      ),
    );
  }
  return lines.join('\n');
}

/** Returns the next larger number that is 1, 2, 2.5 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map(factor => factor * power).find(round => round >= value)!;
}
