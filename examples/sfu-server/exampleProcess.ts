/** Runs the whole demo as a process of its own, as `npm start` does, and knows what it leaves behind. For tests of it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const start = fileURLToPath(new URL('start.ts', import.meta.url));

/** All processes of one run inherit it, and keep it when they lose their parent. */
const MARK = 'SFU_SERVER_EXAMPLE_RUN';

const ORPHANS_TIMEOUT_MS = 8000;
const POLL_INTERVAL_MS = 50;

export interface RunningProcess {
  pid: number;
  command: string;
}

export class ExampleProcess {
  /** What it has printed. */
  output = '';
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #mark: string = randomUUID();
  readonly #url: Promise<string>;

  /** @param env PORT is any free one, if it isn't given */
  constructor(env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, ['--import', 'tsx', start], {
      cwd: root,
      env: { ...process.env, PORT: '0', ...env, [MARK]: this.#mark },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#exit = once(child, 'exit');
    const url = new Promise<string>(resolve => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on('line', line => {
          this.output += `${line}\n`;
          const [, found] = /^\s+(http:\S+)$/.exec(line) ?? [];
          if (found) resolve(found);
        });
      }
    });
    const ended = this.#exit.then((): never => {
      throw new Error(`the example ended:\n${this.output}`);
    });
    this.#url = Promise.race([url, ended]);
    this.#url.catch(() => undefined);
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** The URL that it prints when everything is there. @throws {Error} if it ends before */
  url(): Promise<string> {
    return this.#url;
  }

  /** Sends a signal to it alone, and resolves when it is gone. @returns the processes that it has left behind: none, if all is well */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<RunningProcess[]> {
    this.#child.kill(signal);
    await this.#exit;
    // Where it had no time to say goodbye, the others have to find out by themselves.
    const deadline = Date.now() + ORPHANS_TIMEOUT_MS;
    while (this.processes().length > 0 && Date.now() < deadline) await setTimeout(POLL_INTERVAL_MS);
    return this.processes();
  }

  /** Its processes that are running: itself, media servers, mediasoup's workers. Needs a /proc. */
  processes(): RunningProcess[] {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name) && read(`/proc/${name}/environ`).includes(`${MARK}=${this.#mark}`))
      .map(name => ({ pid: Number(name), command: read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim() }));
  }
}

/** Empty, if the process has gone in the meantime or is somebody else's. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
