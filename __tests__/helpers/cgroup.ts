/** A control group with limits, in which a process can be started: of the version that this machine has. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = '/sys/fs/cgroup';
const PERIOD_US = 100_000;

export interface GroupLimits {
  cores: number;
  /** Bytes. */
  memory: number;
}

export class ControlGroup {
  readonly #folders: readonly string[];

  /** @throws {Error} if groups can't be made here, with the reason */
  static async create(limits: GroupLimits): Promise<ControlGroup> {
    const files = filesOf(limits, `mafalda-test-${process.pid}`);
    const group = new ControlGroup(Object.keys(files));
    try {
      for (const [folder, contents] of Object.entries(files)) {
        await mkdir(folder);
        for (const [file, text] of Object.entries(contents)) await writeFile(join(folder, file), text);
      }
    } catch (error) {
      await group.close();
      throw error;
    }
    return group;
  }

  private constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  /** Runs a command in the group. @returns what it writes */
  async run(command: string, args: readonly string[]): Promise<string> {
    const enter = this.#folders.map(folder => `echo $$ > ${join(folder, 'cgroup.procs')}`).join(' && ');
    const { stdout } = await promisify(execFile)('sh', ['-c', `${enter} && exec "$0" "$@"`, command, ...args]);
    return stdout;
  }

  async close(): Promise<void> {
    for (const folder of this.#folders.filter(path => existsSync(path))) await rmdir(folder);
  }
}

/** Contents of the files of a group's folders, which are one in the second version of groups, and one for each limit in the first. */
function filesOf({ cores, memory }: GroupLimits, name: string): Record<string, Record<string, string>> {
  const quota = String(cores * PERIOD_US);
  if (existsSync(join(ROOT, 'cgroup.controllers')))
    return { [join(ROOT, name)]: { 'cpu.max': `${quota} ${PERIOD_US}`, 'memory.max': String(memory) } };
  return {
    [join(ROOT, 'cpu', name)]: { 'cpu.cfs_period_us': String(PERIOD_US), 'cpu.cfs_quota_us': quota },
    [join(ROOT, 'memory', name)]: { 'memory.limit_in_bytes': String(memory) },
  };
}

/** Why there can be none here; undefined if there can. */
export async function whyNoControlGroups(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'control groups exist on Linux only';
  try {
    const group = await ControlGroup.create({ cores: 1, memory: 512 * 1024 * 1024 });
    await group.close();
    return undefined;
  } catch (error) {
    return `control groups can’t be made: ${(error as Error).message}`;
  }
}
