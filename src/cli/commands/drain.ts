/** `drain`: takes a server out of use, for all of its controllers, and waits until nothing is left there. */
import * as v from 'valibot';
import type { LoadReport } from '../../api/load.ts';
import { optionsOf } from '../../api/optionsSchema.ts';
import { duration, flag } from '../../api/optionTypes.ts';
import type { RemoteMafaldaClient } from '../../remote/index.ts';
import { command } from '../command.ts';
import { withClient } from '../connect.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { clientSettings } from '../settings/clientSettings.ts';
import { settingsOf, type Values } from '../settings/setting.ts';
import type { Terminal } from '../terminal.ts';

/** Settings of `drain`, beside those of the connection. */
export interface DrainSettings {
  /**
   * Longest time to wait for what is there to end. Exit code 3 says that something is left.
   * @default no limit
   */
  deadline?: number;
  /**
   * Takes the server into use again.
   * @default false
   */
  undo?: boolean;
  /**
   * Ends as soon as the server has heard it, and waits for nobody.
   * @default false
   */
  now?: boolean;
}

const drainSettings = {
  ...settingsOf(
    { title: 'Draining', interfaces: ['DrainSettings'] },
    optionsOf<DrainSettings>()({
      deadline: v.optional(duration(0)),
      undo: v.optional(flag),
      now: v.optional(flag),
    }),
  ),
  ...clientSettings,
};

export const drain = command({
  name: 'drain',
  summary: 'takes a server out of use, and waits until nothing is left there',
  operands: ['<node>', 'URL of the server'],
  settings: drainSettings,
  examples: [
    { operands: ['wss://media-1.example:4443'], settings: { deadline: '30m' } },
    { operands: ['wss://media-1.example:4443'], settings: { undo: true } },
  ],
  run: (values, [url], terminal) => drainServer(url!, values, terminal),
});

/** @returns the exit code: left if something is left at the deadline */
async function drainServer(url: string, values: Values<typeof drainSettings>, terminal: Terminal): Promise<ExitCode> {
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
