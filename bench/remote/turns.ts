/** Rounds of a measurement, in which each subject has its turn. */
import { Times } from './measures.ts';

/** Each subject runs for so long before it counts. */
const WARM_UP = 0.2;
/** A subject waits until the closing that the subject before it has caused is over. */
const SETTLE_MS = 5;

/** Repeats a round: some rounds first that don't count. */
export async function repeat(
  count: number,
  times: Times,
  round: (times: Times, index: number) => Promise<void>,
  warmUp = WARM_UP * count,
): Promise<void> {
  for (let index = 0; index < warmUp; ++index) await round(new Times(), index);
  for (let index = 0; index < count; ++index) await round(times, index);
}

/** Lets each subject be first as often as the others. */
export async function inTurns(round: number, turns: readonly (() => Promise<void>)[]): Promise<void> {
  for (let turn = 0; turn < turns.length; ++turn) {
    await turns[(round + turn) % turns.length]!();
    await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
  }
}
