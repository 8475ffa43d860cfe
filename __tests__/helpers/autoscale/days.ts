/** Imaginary days: when people come, and how long they stay. The same seed makes the same day. */
import { seededRandom } from '../random.ts';

/** Stay of a person, in seconds since the beginning of the day. */
export interface Stay {
  from: number;
  to: number;
}

export interface Day {
  name: string;
  /** Length, in seconds. */
  length: number;
  /** In the order in which people come. */
  stays: Stay[];
}

export const HOUR = 3600;
const DAY = 24 * HOUR;

/** Number of calls that begin in each hour of a day of work. */
const CALLS = [9, 6, 6, 6, 6, 12, 30, 120, 390, 690, 750, 570, 270, 510, 720, 630, 390, 180, 120, 150, 120, 60, 24, 15];

/**
 * Calls of 2 to 14 people, with the pause at noon. Of ten, four begin at the full hour and last for most of it, three at the
 * full or half hour and last for half of one, each some minutes more or less, and three at any time.
 */
export function conferenceDay(seed = 1): Day {
  const random = seededRandom(seed);
  const stays: Stay[] = [];
  for (const [hour, calls] of CALLS.entries()) {
    for (let call = 0; call < calls; ++call) {
      const kind = call % 10;
      const [isLong, isShort] = [kind < 4, kind >= 4 && kind < 7];
      const begin = hour * HOUR + (isLong ? 0 : isShort ? Math.round(random()) * (HOUR / 2) : random() * HOUR);
      const minutes = isLong ? 52 + 6 * normal(random) : isShort ? 26 + 4 * normal(random) : 10 + 50 * random();
      const people = 2 + Math.floor(random() * random() * 13);
      for (let person = 0; person < people; ++person) {
        const from = Math.max(0, begin + normal(random) * 120);
        stays.push({ from, to: Math.max(from + 60, begin + minutes * 60 + normal(random) * 60) });
      }
    }
  }
  return day('a conference day', DAY, stays);
}

/** People who come and go evenly, and 92 who come within 31 s, and stay for half an hour. */
export function burst(seed = 2): Day {
  const random = seededRandom(seed);
  const stays = steady(random, 200, DAY);
  for (let person = 0; person < 92; ++person) {
    const from = 10 * HOUR + (person / 92) * 31;
    stays.push({ from, to: from + HOUR / 2 + normal(random) * 120 });
  }
  return day('92 joins in 31 s', DAY, stays);
}

/** Ten times as many people within two minutes, who go within ten after half an hour. */
export function flashCrowd(seed = 3): Day {
  const random = seededRandom(seed);
  const stays = steady(random, 200, DAY);
  for (let person = 0; person < 1800; ++person)
    stays.push({ from: 10 * HOUR + random() * 120, to: 10.5 * HOUR + random() * 600 });
  return day('a flash crowd, 10 × in 2 min', DAY, stays);
}

/** As many people all day, who come and go at random. */
export function noise(seed = 4): Day {
  return day('noise', DAY, steady(seededRandom(seed), 600, DAY));
}

/** People who are there when the day begins, and are replaced as they go, after 20 minutes on average. */
function steady(random: () => number, people: number, length: number): Stay[] {
  const mean = 20 * 60;
  const stays: Stay[] = [];
  const stay = (from: number): number => stays.push({ from, to: from - Math.log(1 - random()) * mean });
  for (let person = 0; person < people; ++person) stay(0);
  for (let from = 0; from < length; from -= Math.log(1 - random()) * (mean / people)) stay(from);
  return stays;
}

function day(name: string, length: number, stays: Stay[]): Day {
  return { name, length, stays: stays.filter(({ from }) => from < length).sort((a, b) => a.from - b.from) };
}

/** A number of the normal distribution (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
