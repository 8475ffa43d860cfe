/**
 * Cost of servers on demand, and joins that they keep waiting: imaginary days, on which the real `plan()` starts and stops
 * simulated servers. `npm run bench:autoscale`
 *
 * A server has 4 cores and takes 200 people, 132 up to the watermark of 66 %; it refuses people from 90 % on (`maxLoad`).
 * Of each day, and each time that a server takes from its order to its connection:
 *   - *waited*: joins that found no server below the watermark while one was on its way, and waited for up to 10 s;
 *   - *above*: joins that landed above the watermark;
 *   - *refused*: joins that found every server at its `maxLoad`, after having waited;
 *   - *cut*: people who were on a server when it was stopped;
 *   - *server-hours*, from the order to the stop, and their ratio to *bound*: the fewest that could take the people of each
 *     second up to the watermark, if people were liquid, servers there at once, and the next second known;
 *   - *starts*, *stops*, and the *most* servers at a time.
 *
 * Prints a table in Markdown, and draws each day with boot times of 60 s into `docs/images/autoscale-….svg`.
 */
import { writeFile } from 'node:fs/promises';
import { burst, conferenceDay, flashCrowd, HOUR, noise, type Day } from '../../__tests__/helpers/autoscale/days.ts';
import { Simulation } from '../../__tests__/helpers/autoscale/simulation.ts';
import { drawCurves } from '../drawCurves.ts';

/** Boot times, in seconds. */
const BOOTS_S = [5, 60, 300];
const DRAWN_BOOT_S = 60;

const days: Record<string, Day> = {
  conference: conferenceDay(),
  burst: burst(),
  'flash-crowd': flashCrowd(),
  noise: noise(),
};

console.log(
  '| day | boot, s | joins | waited | above | refused | cut | server-hours | bound | ratio | starts | stops | most |',
);
console.log('|---|---|---|---|---|---|---|---|---|---|---|---|---|');
for (const [name, day] of Object.entries(days)) {
  for (const boot of BOOTS_S) {
    const simulation = new Simulation(day, { max: 50 }, { boot, maxLoad: 90 }).run();
    const { joins, waited, squeezed, refused, cut, starts, stops, most, ratio } = simulation;
    const [hours, bound] = [simulation.serverSeconds, simulation.boundSeconds].map(seconds =>
      (seconds / HOUR).toFixed(1),
    );
    const figures = [boot, joins, waited, squeezed, refused, cut, hours, bound, ratio.toFixed(2), starts, stops, most];
    console.log(`| ${[day.name, ...figures].join(' | ')} |`);
    if (boot === DRAWN_BOOT_S) {
      const drawing = drawCurves({
        title: `${day.name}: servers that there are, and the fewest that could do (a server is there after ${boot} s)`,
        hours: day.length / HOUR,
        curves: {
          servers: simulation.curve.map(({ at, servers }) => [at / HOUR, servers]),
          'fewest that could do': simulation.curve.map(({ at, bound }) => [at / HOUR, bound]),
        },
      });
      await writeFile(new URL(`../../docs/images/autoscale-${name}.svg`, import.meta.url), drawing);
    }
  }
}
