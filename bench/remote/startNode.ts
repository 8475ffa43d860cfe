/** Starts a media server for a measurement, in a process of its own. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface NodeProcess {
  child: ChildProcess;
  url: string;
}

export async function startNode(kind: 'ours' | 'by hand'): Promise<NodeProcess> {
  const child = fork(fileURLToPath(new URL('node.ts', import.meta.url)), [kind]);
  const [url] = (await once(child, 'message')) as [string];
  return { child, url };
}
