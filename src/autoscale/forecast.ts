/** Expects the demand of a little later, by how it has grown in the last minutes. */
import type { DemandSample } from './history.ts';

/**
 * Times over which a trend is looked for, in ms. A trend that has lasted so long is expected to go on for as long: a
 * rush of half a minute says nothing of the next ten.
 */
const WINDOWS_MS = [30_000, 120_000];
/** Number of samples that make a trend. */
const MIN_SAMPLES = 4;

/**
 * Returns the demand that running servers are expected to have to meet in `horizonMs`, at least the present one: a fall
 * is never expected. Growth is that of all people, wherever they are: a server that is drained, or used again, is none.
 * @param samples the oldest first
 */
export function forecast(samples: readonly DemandSample[], now: number, horizonMs: number): number {
  const present = samples.at(-1)?.running ?? 0;
  const growths = WINDOWS_MS.map(windowMs => {
    const lasting = windowMs * (1 - Math.exp(-horizonMs / windowMs));
    return certainSlope(samples.filter(({ at }) => at >= now - windowMs)) * lasting;
  });
  return present + Math.max(0, ...growths);
}

/** Returns the slope, per ms, by least squares, less its standard error, which is large where there is only noise. */
function certainSlope(samples: readonly DemandSample[]): number {
  const count = samples.length;
  if (count < MIN_SAMPLES) return 0;
  const meanAt = samples.reduce((sum, { at }) => sum + at, 0) / count;
  const all = ({ running, draining }: DemandSample): number => running + draining;
  const mean = samples.reduce((sum, sample) => sum + all(sample), 0) / count;
  let spread = 0;
  let common = 0;
  for (const sample of samples) {
    spread += (sample.at - meanAt) ** 2;
    common += (sample.at - meanAt) * (all(sample) - mean);
  }
  if (spread === 0) return 0;
  const slope = common / spread;
  const error = samples.reduce((sum, sample) => sum + (all(sample) - mean - slope * (sample.at - meanAt)) ** 2, 0);
  return slope - Math.sqrt(error / (count - 2) / spread);
}

/** Returns the value below which nine of ten are; undefined if there are none. */
export function p90(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.9) - 1];
}
