/** Life of a server in a process: it listens until a signal comes, is drained, and closes. A second signal forces. */
import type { MafaldaApi } from '../api/types.ts';
import type { Directory } from '../horizontal/index.ts';
import type { RemoteMafaldaServer, ServerCounts } from '../remote/index.ts';
import { EXIT, type ExitCode } from './exitCodes.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_DRAIN_DEADLINE_MS = 600_000;
/** Time for closing, in ms: a Worker or a node that does not answer must not keep the process. */
const CLOSE_TIMEOUT_MS = 10_000;

const signals = ['SIGTERM', 'SIGINT'] as const;

export interface Program {
  mafalda: MafaldaApi;
  server: RemoteMafaldaServer;
  /** Directory in which the server is. */
  directory?: Directory;
  /** Time for what is there to end, in ms; default: 10 minutes. */
  drainDeadline: number | undefined;
  terminal: Terminal;
}

/**
 * Listens, and resolves when the program has ended.
 * @param onListening called when clients can connect
 * @returns whether something was left at the deadline
 */
export async function untilStopped(
  { mafalda, server, directory, drainDeadline: deadline = DEFAULT_DRAIN_DEADLINE_MS, terminal }: Program,
  onListening: () => void,
): Promise<ExitCode> {
  const ended = new AbortController();
  const stopped = firstSignal(ended.signal, terminal);
  try {
    await server.listen();
    onListening();
    const signal = await stopped;
    const { clients, objects } = server.counts;
    terminal.out(
      `${signal}: draining ${clients} clients with ${objects} objects, for ${deadline / 1000} s at most; another signal ends it at once`,
    );
    const left = await server.drain({ deadline });
    if (left.objects > 0) terminal.err(`the deadline has passed, and closes ${describe(left)}`);
    return left.objects > 0 ? EXIT.left : EXIT.ok;
  } finally {
    const timeout = setTimeout(() => {
      terminal.err(`not closed within ${CLOSE_TIMEOUT_MS / 1000} s: ending without`);
      process.exit(EXIT.failed);
    }, CLOSE_TIMEOUT_MS);
    await server.close();
    await mafalda.close();
    await directory?.close();
    clearTimeout(timeout);
    ended.abort();
    terminal.out('closed');
  }
}

/** Resolves with the name of the first signal; the second one ends the process. */
async function firstSignal(ended: AbortSignal, terminal: Terminal): Promise<string> {
  return new Promise(resolve => {
    let isStopping = false;
    for (const name of signals) {
      const onSignal = (): void => {
        if (isStopping) {
          terminal.err(`${name}: ending at once`);
          process.exit(EXIT.failed);
        }
        isStopping = true;
        resolve(name);
      };
      process.on(name, onSignal);
      ended.addEventListener('abort', () => process.off(name, onSignal));
    }
  });
}

function describe({ clients, mafaldaRouters, objects }: ServerCounts): string {
  return `${objects} objects of ${clients} clients in ${mafaldaRouters} rooms`;
}
