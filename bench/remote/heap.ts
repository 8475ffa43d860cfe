/** @returns bytes of this process that are in use: it has to be started with `--expose-gc` */
export function heapUsed(): number {
  if (!globalThis.gc) throw new Error('start it with --expose-gc');
  // The first collection may free what kept something else.
  for (let round = 0; round < 2; ++round) globalThis.gc();
  return process.memoryUsage().heapUsed;
}
