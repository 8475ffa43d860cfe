/** The table and the drawing of `peers.ts`. */
import { draw, type Row } from '../draw.ts';
import type { Times } from '../remote/measures.ts';
import type { Peer } from './peer.ts';

interface Line {
  /** Name under which it was measured. */
  measured: string;
  shown: string;
  /** A mean, since the operating system counts CPU in steps of 10 ms. */
  isCpu?: boolean;
}

function linesOf(people: number): Line[] {
  const single = ['room, with its first transport', 'transport', 'produce', 'consume'];
  return [
    ...single.map(name => ({ measured: name, shown: name })),
    { measured: 'consume, first pipe', shown: 'consume across servers, the first between the two' },
    { measured: 'consume, second stream of a link', shown: 'consume across servers, another stream' },
    { measured: 'consume, piped already', shown: 'consume of a stream that was piped before' },
    { measured: 'load report', shown: 'load report, asked for' },
    ...['one node', 'two nodes'].flatMap(where =>
      ['wall', 'CPU'].map(kind => ({
        measured: `${people} people join, ${where}: ${kind}`,
        shown: `${people} people join, ${where === 'one node' ? 'one server' : 'two servers'}: ${kind === 'CPU' ? 'CPU' : 'time'}`,
        isCpu: kind === 'CPU',
      })),
    ),
  ];
}

function figureOf(times: Times, { measured, isCpu }: Line, { name }: Peer): number | undefined {
  return isCpu ? times.mean(measured, name) : times.p50(measured, name);
}

/** Returns the table in Markdown, with what it was measured on, and what could not be measured. */
export function reportOf(
  times: Times,
  peers: readonly Peer[],
  missing: readonly { name: string; reason: string }[],
  { people, circumstances }: { people: number; circumstances: string },
): string {
  const [ours, ...others] = peers as [Peer, ...Peer[]];
  const rows = linesOf(people).map(line => {
    const own = figureOf(times, line, ours);
    const cells = others.map(other => {
      const figure = figureOf(times, line, other);
      if (figure === undefined || own === undefined) return '–';
      return `${figure.toFixed(2)} (${(own / figure).toFixed(2)})`;
    });
    return `| ${[line.shown, own?.toFixed(2) ?? '–', ...cells].join(' | ')} |`;
  });
  return [
    `| ms | ${peers.map(({ name, version }) => `${name} ${version}`.trim()).join(' | ')} |`,
    `|---|${peers.map(() => '---').join('|')}|`,
    ...rows,
    '',
    `In parentheses: this library’s figure divided by that one, so below 1 this library takes less. ${circumstances}`,
    ...missing.map(({ name, reason }) => `\nNot measured in this run: ${name}: ${reason.split('\n')[0]}.`),
    '',
    '![Time and CPU as multiples of what this library takes](../images/peers.svg)',
  ].join('\n');
}

export function drawReport(times: Times, peers: readonly Peer[], people: number): string {
  const [ours] = peers as [Peer, ...Peer[]];
  const rows = linesOf(people).map((line): Row => {
    const own = figureOf(times, line, ours)!;
    const bars = peers.flatMap(peer => {
      const figure = figureOf(times, line, peer);
      return figure === undefined ? [] : [{ way: peer.name, value: figure / own, label: (figure / own).toFixed(2) }];
    });
    return { what: line.shown, bars };
  });
  return draw(rows, {
    title: 'Time and CPU as multiples of what this library takes: shorter is better',
    max: 3,
    left: 290,
    ways: peers.map(({ name }) => name),
  });
}
