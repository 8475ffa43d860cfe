/** `drain`: takes a server out of use, for all of its controllers, and waits until nothing is left there. */
import type { LoadReport } from '../../api/load.ts';
import type { RemoteMafaldaClient } from '../../remote/index.ts';
import { withClient } from '../connect.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import type { Setting } from '../settings/setting.ts';
import { clientSettings } from '../settings/serverSettings.ts';
import type { Values } from '../settings/readSettings.ts';
import type { Terminal } from '../terminal.ts';

export const drainSettings = {
  ...clientSettings,
  deadline: { kind: 'duration', help: 'time to wait for what is there to end; default: no limit' },
  undo: { kind: 'flag', help: 'take the server into use again' },
  now: { kind: 'flag', help: 'end as soon as the server has heard it' },
} as const satisfies Record<string, Setting>;

/** @returns the exit code: left if something is left at the deadline */
export async function drain(url: string, values: Values<typeof drainSettings>, terminal: Terminal): Promise<ExitCode> {
  return withClient(url, values, async client => {
    if (values.undo) {
      await client.undrain();
      terminal.out(`${url} is used again`);
      return EXIT.ok;
    }
    await client.drain();
    terminal.out(`${url} gets nothing new`);
    return values.now ? EXIT.ok : untilEmpty(client, values.deadline, terminal);
  });
}

/** Waits for a report of the server without transports, and tells whenever their number has changed. */
function untilEmpty(client: RemoteMafaldaClient, deadline: number | undefined, terminal: Terminal): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    let told: number | undefined;
    const timer = deadline === undefined ? undefined : setTimeout(() => end(EXIT.left), deadline);
    const end = (code: ExitCode): void => {
      clearTimeout(timer);
      client.off('load', onReport);
      client.off('lost', onLost);
      terminal.out(
        code === EXIT.left ? `the deadline has passed: ${told ?? 0} transports are left` : 'nothing is left',
      );
      resolve(code);
    };
    const onReport = (_load: number, { workers }: LoadReport): void => {
      const transports = workers.reduce((sum, worker) => sum + worker.transports, 0);
      if (transports === 0) return end(EXIT.ok);
      if (transports !== told) terminal.out(`${transports} transports are left`);
      told = transports;
    };
    const onLost = (): void => {
      clearTimeout(timer);
      reject(new Error(`${client.url} is lost, while it was being drained`));
    };
    client.on('load', onReport);
    client.on('lost', onLost);
    onReport(client.load, client.loadReport);
  });
}
