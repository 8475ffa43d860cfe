/** Processes of peers: each is waited for until it says that it is ready, and ends with this one. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';

const TIMEOUT_MS = 30_000;

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach(child => child.kill('SIGKILL')));

export interface Start {
  command: string;
  args: readonly string[];
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  /** Pattern of what the process writes when it is ready. */
  ready: RegExp;
}

/** @throws {Error} with what the process has written, if it ends or is not ready in time */
export async function startProcess({ command, args, cwd, env, ready }: Start): Promise<ChildProcess> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`${command} ${args.join(' ')} ${what}:\n${output}`));
    const timeout = setTimeout(() => fail('was not ready in time'), TIMEOUT_MS);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => {
        output += text.toString();
        if (!ready.test(output)) return;
        clearTimeout(timeout);
        resolve();
      });
    child.once('error', error => fail(error.message));
    child.once('exit', () => fail('has ended'));
  });
  // Its further output is read, so that its pipe does not fill, and dropped.
  for (const stream of [child.stdout, child.stderr]) stream.removeAllListeners('data').resume();
  return child;
}

/** Returns a TCP port that is free at present. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
