import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as mediasoup from 'mediasoup';
import { Mafalda, WorkerBudgetError } from '../../../src/local/index.ts';
import { WorkerBudget } from '../../../src/local/workerBudget.ts';
import { until } from '../../helpers/until.ts';

/** Of the user who owns nothing. */
const NOBODY = 65_534;

let folder: string;
let nextFile = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'budget-'));
});

afterAll(() => rm(folder, { recursive: true }));

function newFile(): string {
  return join(folder, `${nextFile++}.json`);
}

/** Another process with Workers from the same budget. */
async function otherProcess(file: string, max: number, count: number, user?: number): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('../../helpers/budgetHolder.ts', import.meta.url));
  const child = fork(script, [file, String(max), String(count)], { execArgv: ['--import', 'tsx'], uid: user });
  await once(child, 'message');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe('WorkerBudget', () => {
  test('is shared by processes, and takes back the share of one that was killed', async () => {
    const file = newFile();
    const other = await otherProcess(file, 3, 2);
    const budget = new WorkerBudget({ file, max: 3 });
    await budget.take();
    await expect(budget.take()).rejects.toThrow(WorkerBudgetError);
    await kill(other);
    await budget.take();
    await budget.take();
    await expect(budget.take()).rejects.toThrow(/all 3 Workers/);
    for (let taken = 0; taken < 3; ++taken) await budget.giveBack();
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({});
  });

  (process.getuid?.() === 0 ? test : test.skip)(
    'is shared by users, whoever has made the file and was killed holding the lock (only root can try)',
    async () => {
      const shared = await mkdtemp(join(folder, 'shared-'));
      await chmod(folder, 0o755);
      await chmod(shared, 0o777);
      const file = join(shared, 'shares.json');
      const umask = process.umask(0o077);
      try {
        const budget = new WorkerBudget({ file, max: 2 });
        await budget.take();
        const lock = `${file}.lock`;
        await mkdir(lock);
        await utimes(lock, 0, 0);
        const nobody = await otherProcess(file, 2, 1, NOBODY);
        await expect(budget.take()).rejects.toThrow(WorkerBudgetError);
        await kill(nobody);
        await budget.giveBack();
      } finally {
        process.umask(umask);
      }
    },
  );

  test('follows no link to a file', async () => {
    const [file, target] = [newFile(), newFile()];
    await writeFile(target, 'not ours');
    await symlink(target, file);
    await expect(new WorkerBudget({ file, max: 1 }).take()).rejects.toThrow(/ELOOP/);
    expect(await readFile(target, 'utf8')).toBe('not ours');
  });

  test('never gives more than there is, however many ask at once', async () => {
    const file = newFile();
    const budgets = Array.from({ length: 8 }, () => new WorkerBudget({ file, max: 5 }));
    const results = await Promise.allSettled(budgets.map(budget => budget.take()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    await Promise.all(budgets.slice(0, 5).map(budget => budget.giveBack()));
  });

  test.each(['', 'not JSON {', '[1, 2]', '{"1@0": "many", "nobody": 7}', 'null'])(
    'mends a file that contains %p',
    async content => {
      const file = newFile();
      await writeFile(file, content);
      const budget = new WorkerBudget({ file, max: 2 });
      await budget.take();
      await writeFile(file, content);
      await budget.take();
      expect(Object.values(JSON.parse(await readFile(file, 'utf8')) as object)).toEqual([2]);
      await expect(budget.take()).rejects.toThrow(WorkerBudgetError);
      await budget.giveBack();
      await budget.giveBack();
    },
  );

  test('does not take another process with the pid of a dead one for it', async () => {
    const file = newFile();
    await writeFile(file, JSON.stringify({ [`${process.ppid}@0`]: 5 }));
    const budget = new WorkerBudget({ file, max: 1 });
    await budget.take();
    await budget.giveBack();
  });

  test.each([{ max: 0 }, { max: 1.5 }, { file: '' }])('refuses %p', options => {
    expect(() => new Mafalda(mediasoup, { workerBudget: options })).toThrow(
      /Mafalda: workerBudget\.(max must be a positive integer|file must be a non-empty string); it is/,
    );
  });
});

describe('Mafaldas of one machine', () => {
  test('share its Workers: who has one goes on with it, who has none is told', async () => {
    const workerBudget = { file: newFile(), max: 2 };
    const [one, other] = [new Mafalda(mediasoup, { workerBudget }), new Mafalda(mediasoup, { workerBudget })];
    const spread = one.createMafaldaRouter({ watermarkWorker: 0, maxWorkers: 8 });
    await Promise.all(Array.from({ length: 6 }, () => spread.createDirectTransport()));
    expect(one.workers.size).toBe(2);
    await expect(other.createMafaldaRouter().createDirectTransport()).rejects.toThrow(WorkerBudgetError);
    await spread.close();
    await until('the idle Workers have been given back', () =>
      other
        .createMafaldaRouter({ id: 'again' })
        .createDirectTransport()
        .then(
          () => true,
          () => false,
        ),
    );
    await one.close();
    await other.close();
    expect(JSON.parse(await readFile(workerBudget.file, 'utf8'))).toEqual({});
  });
});
