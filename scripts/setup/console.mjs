/** What set-up tells its user. */

/** A failure whose message says what to do about it, so that it is shown without a stack. */
export class SetupError extends Error {}

/** @param {string} message */
export function say(message) {
  console.log(`setup: ${message}`);
}

/** @param {number} milliseconds */
function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds) % 60} s`;
}

/**
 * Runs a slow step and shows that it goes on: one updated line on a terminal, else a line at the start, one every
 * 10 % and one at the end.
 * @template T
 * @param {string} title
 * @param {(report: (fraction: number) => void) => Promise<T>} action gets a function to tell how much is done
 * @returns {Promise<T>}
 */
export async function step(title, action) {
  const terminal = process.stdout.isTTY;
  const started = performance.now();
  const elapsed = () => duration(performance.now() - started);
  let percent = 0;

  const redraw = () => {
    const line = `setup: ${title}: ${percent ? `${percent} %, ` : ''}${elapsed()}`;
    // A line that wraps could not be rewritten.
    process.stdout.write(`\r\x1b[2K${line.slice(0, (process.stdout.columns || 80) - 1)}`);
  };
  const report = fraction => {
    const reached = Math.floor(fraction * 100);
    if (terminal) {
      percent = reached;
      redraw();
    } else if (reached < 100 && Math.floor(reached / 10) > Math.floor(percent / 10)) {
      percent = reached;
      say(`${title}: ${percent} %, ${elapsed()}`);
    }
  };

  if (terminal) redraw();
  else say(`${title} ...`);
  const timer = terminal ? setInterval(redraw, 1000) : undefined;
  let outcome = 'failed after';
  try {
    const result = await action(report);
    outcome = 'done in';
    return result;
  } finally {
    clearInterval(timer);
    if (terminal) process.stdout.write('\r\x1b[2K');
    say(`${title}: ${outcome} ${elapsed()}`);
  }
}
