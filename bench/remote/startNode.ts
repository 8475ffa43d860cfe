/** Starts a media server for a measurement, in a process of its own. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface NodeProcess {
  child: ChildProcess;
  url: string;
  stop(): void;
}

/** @param delayMs time that all that goes to the server and back takes on its way, each way, in ms; default: 0 */
export async function startNode(kind: 'ours' | 'by hand', delayMs = 0): Promise<NodeProcess> {
  const { child, url } = await start('node.ts', [kind]);
  if (delayMs === 0) return { child, url, stop: () => child.disconnect() };
  const wire = await start('wire.ts', [url, String(delayMs)]);
  const stop = (): void => {
    for (const each of [child, wire.child]) each.disconnect();
  };
  return { child, url: wire.url, stop };
}

async function start(file: string, args: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args);
  const [url] = (await once(child, 'message')) as [string];
  return { child, url };
}
