/** The table and the drawing of `remote.ts`. */
import { draw, type Row } from '../draw.ts';
import { calls, type Times } from './measures.ts';

interface Line {
  what: string;
  /** More is better. */
  isRate?: boolean;
  hasFloor?: boolean;
}

function linesOf(people: number): Line[] {
  return [
    ...calls.map(what => ({ what, hasFloor: true })),
    ...calls.map(what => ({ what: `${what}: CPU` })),
    ...['consume, first pipe', 'consume, second stream of a link', 'consume, piped already'].map(what => ({ what })),
    { what: 'pipelined consumes per second', isRate: true },
    { what: 'pipelined consume: CPU' },
    ...['one node', 'two nodes'].flatMap(where =>
      ['wall', 'CPU'].map(kind => ({ what: `${people} people join, ${where}: ${kind}` })),
    ),
  ];
}

function figuresOf(
  times: Times,
  { what, hasFloor }: Line,
): { ours: number; byHand: number; floor: number | undefined } {
  const p50 = (who: string): number => times.p50(what, who) ?? NaN;
  return { ours: p50('ours'), byHand: p50('by hand'), floor: hasFloor ? p50('local') + p50('bare') : undefined };
}

export function tableOf(times: Times, people: number): string {
  const lines = linesOf(people).map(line => {
    const { ours, byHand, floor } = figuresOf(times, line);
    const shown = (value: number): string => (line.isRate ? value.toFixed(0) : value.toFixed(2));
    const cells = [
      line.what,
      shown(ours),
      shown(byHand),
      floor === undefined ? '' : shown(floor),
      (ours / byHand).toFixed(2),
      floor === undefined ? '' : (ours / floor).toFixed(2),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return ['| p50, ms | ours | by hand | floor | ÷ by hand | ÷ floor |', '|---|---|---|---|---|---|', ...lines].join(
    '\n',
  );
}

/** As ratios to the one by hand, since what is measured differs by orders of magnitude. */
export function drawReport(times: Times, people: number): string {
  const rows = linesOf(people).map((line): Row => {
    const { ours, byHand, floor } = figuresOf(times, line);
    const bars = [
      { way: 'by hand', value: 1 },
      { way: 'ours', value: line.isRate ? byHand / ours : ours / byHand },
      ...(floor === undefined ? [] : [{ way: 'floor', value: floor / byHand }]),
    ];
    return {
      what: line.isRate ? 'time per pipelined consume' : line.what,
      bars: bars.map(({ way, value }) => ({ way, value, label: value.toFixed(2) })),
    };
  });
  return draw(rows, {
    title: 'Time and CPU as multiples of a server by hand (medians): shorter is better',
    max: 2,
    left: 230,
    ways: ['by hand', 'ours', 'floor'],
  });
}
