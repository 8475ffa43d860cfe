/** Tables and picture of a simulated swarm, for the page. */
import { drawGrowth as drawPanels } from '../drawGrowth.ts';
import { purposes } from './datagram.ts';
import type { FindingResult } from './finding.ts';
import type { RushResult } from './rush.ts';

interface Figure {
  what: string;
  of: (result: FindingResult) => number;
  unit: string;
  digits?: number;
}

/** Adds up what peers send without the lookups of the simulation itself. */
const sum = (traffic: FindingResult['atRest']): number =>
  purposes.filter(purpose => purpose !== 'trial').reduce((bytes, purpose) => bytes + traffic[purpose], 0);

function figures(): Figure[] {
  return [
    { what: 'records: a room on a peer', of: ({ records }) => records, unit: '' },
    { what: 'hops of a lookup until the first holder, mean', of: ({ hops }) => hops.mean, unit: '', digits: 2 },
    { what: 'the same, 99 % have fewer or as many', of: ({ hops }) => hops.p99, unit: '' },
    { what: 'messages of a lookup, mean', of: ({ requests }) => requests.mean, unit: '', digits: 1 },
    { what: 'the first holder is found after, mean', of: ({ first }) => first.mean, unit: ' ms' },
    { what: 'the same, 99 %', of: ({ first }) => first.p99, unit: ' ms' },
    { what: 'a lookup is over after, mean', of: ({ whole }) => whole.mean, unit: ' ms' },
    { what: 'a peer that joins finds a room after, mean', of: ({ afterJoin }) => afterJoin.mean, unit: ' ms' },
    { what: 'the same, 99 %', of: ({ afterJoin }) => afterJoin.p99, unit: ' ms' },
    { what: 'a peer at rest sends in a second, all', of: ({ atRest }) => sum(atRest), unit: ' bytes' },
    { what: 'routing', of: ({ atRest }) => atRest.routing, unit: ' bytes' },
    { what: 'load of some others', of: ({ atRest }) => atRest.status, unit: ' bytes' },
    { what: 'rooms that it follows', of: ({ atRest }) => atRest.finding, unit: ' bytes' },
    { what: 'a publication of a record, by all peers', of: ({ publication }) => publication, unit: ' bytes' },
    { what: 'time in which peers come and go', of: ({ duration }) => duration / 1000, unit: ' s' },
    { what: 'peers that have gone, and come', of: ({ gone }) => gone, unit: '' },
    { what: 'lookups meanwhile', of: ({ lookups }) => lookups, unit: '' },
    { what: 'have failed', of: ({ failed }) => failed, unit: '' },
    { what: 'have missed a holder', of: ({ incomplete }) => incomplete, unit: '' },
    { what: 'have also found a peer that had gone', of: ({ outdated }) => outdated, unit: '' },
    {
      what: 'one that has gone is left out by a peer that finds its record after, mean',
      of: ({ leftOut }) => leftOut.mean,
      unit: ' ms',
    },
    { what: 'the same, 99 %', of: ({ leftOut }) => leftOut.p99, unit: ' ms' },
    { what: 'a peer sends in a second meanwhile', of: ({ inChurn }) => sum(inChurn), unit: ' bytes' },
  ];
}

const show = ({ of, unit, digits = 0 }: Figure, result: FindingResult): string =>
  of(result).toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }) + unit;

/** Prints a table in Markdown, for the page. */
export function printFinding(results: readonly FindingResult[]): void {
  console.log(`\n| peers | ${results.map(({ peers }) => peers.toLocaleString('en')).join(' | ')} |`);
  console.log(`|---|${results.map(() => '---|').join('')}`);
  for (const figure of figures())
    console.log(`| ${figure.what} | ${results.map(result => show(figure, result)).join(' | ')} |`);
}

/** Draws how the figures grow, for the page. */
export function drawGrowth(results: readonly FindingResult[]): string {
  const each = (of: (result: FindingResult) => number): number[] => results.map(of);
  return drawPanels({
    title: 'Simulated: how the figures of a swarm grow with its peers, ten producers for each',
    of: 'peers',
    sizes: each(({ peers }) => peers),
    panels: [
      {
        title: 'hops of a lookup until the first holder',
        unit: '',
        curves: { mean: each(({ hops }) => hops.mean), '99 %': each(({ hops }) => hops.p99) },
      },
      {
        title: 'messages of a lookup',
        unit: '',
        curves: { 'mean, each with its answer': each(({ requests }) => requests.mean) },
      },
      {
        title: 'time until a room is found',
        unit: ' ms',
        curves: {
          'by a peer, mean': each(({ first }) => first.mean),
          'by a peer, 99 %': each(({ first }) => first.p99),
          'by one that joins, mean': each(({ afterJoin }) => afterJoin.mean),
        },
      },
      {
        title: 'bytes that a peer sends in a second at rest',
        unit: '',
        curves: {
          all: each(({ atRest }) => sum(atRest)),
          'load of some others': each(({ atRest }) => atRest.status),
          'rooms that it follows': each(({ atRest }) => atRest.finding),
          routing: each(({ atRest }) => atRest.routing),
        },
      },
    ],
  });
}

/** Prints a table in Markdown of rushes, by their names. */
export function printRushes(results: Readonly<Record<string, RushResult>>): void {
  const figures: [string, (result: RushResult) => string][] = [
    ['peers that have the stream', ({ served }) => String(served)],
    ['pipes from one peer, most', ({ mostPipes }) => String(mostPipes)],
    ['pipes from a full peer, most', ({ mostOfBusy }) => String(mostOfBusy)],
    ['served beyond a share', ({ forced }) => String(forced)],
    ['depth, mean', ({ depth }) => depth.mean.toFixed(2)],
    ['depth, most', ({ depth }) => String(depth.max)],
    ['redirects, mean', ({ redirects }) => redirects.mean.toFixed(2)],
    ['redirects, 99 %', ({ redirects }) => String(redirects.p99)],
    ['redirects, most', ({ redirects }) => String(redirects.max)],
    ['the last one has it after', ({ took }) => `${took} ms`],
  ];
  const names = Object.keys(results);
  console.log(`\n| | ${names.join(' | ')} |\n|---|${names.map(() => '---|').join('')}`);
  for (const [what, show] of figures) console.log(`| ${what} | ${Object.values(results).map(show).join(' | ')} |`);
}
