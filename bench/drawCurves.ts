/** Draws how numbers go over the hours of a day: each curve goes in steps from point to point. */

export interface Curves {
  title: string;
  /** Length of the time axis. */
  hours: number;
  /** Points of each curve, by its name: the hour, and the number from then on. */
  curves: Readonly<Record<string, readonly (readonly [hour: number, value: number])[]>>;
}

const WIDTH = 900;
const HEIGHT = 240;
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 15, 50, 25];
const colours = ['#1f497d', '#9bbb59', '#c0504d', '#8064a2'];
const MAX_TICKS = 12;

export function drawCurves({ title, hours, curves }: Curves): string {
  const all = Object.values(curves);
  const max = Math.max(1, ...all.flatMap(points => points.map(([, value]) => value)));
  const x = (hour: number): string => (LEFT + (hour / hours) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (value: number): string => (HEIGHT - BOTTOM - (value / max) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const everyHours = [0.25, 0.5, 1, 2, 3, 6].find(step => hours / step <= MAX_TICKS) ?? 12;
  const everyServers = Math.ceil(max / 5);
  const lines: string[] = [];
  for (let hour = 0; hour <= hours; hour += everyHours)
    lines.push(`<text x="${x(hour)}" y="${HEIGHT - 8}" text-anchor="middle">${hour} h</text>`);
  for (let value = 0; value <= max; value += everyServers)
    lines.push(
      `<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" stroke="#ddd"/>`,
      `<text x="${LEFT - 8}" y="${Number(y(value)) + 4}" text-anchor="end">${value}</text>`,
    );
  for (const [index, [name, points]] of Object.entries(curves).entries()) {
    const colour = colours[index % colours.length]!;
    const at = LEFT + index * 200;
    lines.push(
      `<rect x="${at}" y="28" width="10" height="10" fill="${colour}"/><text x="${at + 15}" y="37">${name}</text>`,
      `<path d="${stepsOf(points, x, y)}" stroke="${colour}" stroke-width="1.5" fill="none"/>`,
    );
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" fill="#222">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="20" y="18" font-size="13">${title}</text>`,
    ...lines,
    '</svg>\n',
  ].join('\n');
}

/** A path with a step wherever the value changes. */
function stepsOf(
  points: readonly (readonly [hour: number, value: number])[],
  x: (hour: number) => string,
  y: (value: number) => string,
): string {
  const [first] = points;
  if (!first) return '';
  let path = `M${x(first[0])} ${y(first[1])}`;
  let latest = first[1];
  for (const [hour, value] of points) {
    if (value === latest) continue;
    path += `H${x(hour)}V${y(value)}`;
    latest = value;
  }
  return `${path}H${x(points.at(-1)![0])}`;
}
