#!/usr/bin/env node
/**
 * Runs mediasoup's own test suite on `client.mediasoup`, with a server in a process of its own, on `mafaldaHorizontal.mediasoup`
 * with two of them, and beside that on mediasoup itself as control. Fails if a test that passes on mediasoup fails on one of
 * the others and is not among the known differences, or if one that is among them passes: the list must stay true.
 * Arguments go to jest, to run a part.
 */
import { spawn, fork, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const suite = join(root, '__tests__/conformance');
const folder = mkdtempSync(join(tmpdir(), 'mafalda-conformance-'));
const resultsFile = join(folder, 'results.json');
const token = randomUUID();

process.on('exit', () => rmSync(folder, { recursive: true }));

const keyAndCertificate = ['-keyout', join(folder, 'dtls-key.pem'), '-out', join(folder, 'dtls-cert.pem')];
const request = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mediasoup-test'.split(' ');
execFileSync('openssl', [...request, ...keyAndCertificate], { stdio: 'pipe' });

const servers = [1, 2].map(() =>
  fork(join(suite, 'server.ts'), { execArgv: ['--import', 'tsx'], env: { ...process.env, CONFORMANCE_TOKEN: token } }),
);
const urls = (await Promise.all(servers.map(answerOf))).map(({ url }) => url);

const env = {
  ...process.env,
  // The sources are ES modules, which jest runs only with this flag; its workers inherit the variable.
  NODE_OPTIONS: [process.env.NODE_OPTIONS, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
    .filter(Boolean)
    .join(' '),
  CONFORMANCE_URLS: urls.join(' '),
  CONFORMANCE_TOKEN: token,
  CONFORMANCE_RESULTS: resultsFile,
  CONFORMANCE_DTLS_FOLDER: folder,
};
const jest = [join(root, 'node_modules/jest/bin/jest.js'), '--config', join(suite, 'jest.config.mjs')];
const reporters = process.env.CONFORMANCE_VERBOSE ? ['--reporters=default'] : ['--silent'];
const run = spawn(
  process.execPath,
  [...jest, ...process.argv.slice(2), ...reporters, `--reporters=${join(suite, 'reporter.mjs')}`],
  {
    cwd: root,
    env,
    stdio: 'inherit',
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    run.kill(signal);
    // The servers end when they find themselves alone.
    process.exit(1);
  });
}
await once(run, 'close');

const { local, ...others } = JSON.parse(readFileSync(resultsFile, 'utf8'));
const differences = readDifferences();
console.log(`mediasoup: ${passedOf(local)} of ${Object.keys(local).length} tests pass`);
const problems = Object.entries(others).flatMap(([project, results]) =>
  compare(project, local, results, differences[project]),
);
for (const server of servers) {
  server.send('close');
  const { left } = await answerOf(server);
  server.disconnect();
  for (const [what, count] of Object.entries(left))
    if (count > 0) problems.push(`a server still has ${count} ${what}, though all clients are gone`);
}
for (const problem of problems) console.log(`\n${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;

/** The known differences: for each project the reason, by the name of the test. */
function readDifferences() {
  return JSON.parse(readFileSync(join(suite, 'differences.json'), 'utf8'));
}

/** @returns what is not as it should be */
function compare(project, local, results, known) {
  const found = [];
  const names = new Set([...Object.keys(local), ...Object.keys(results)]);
  const isPartOfAll = process.argv.length > 2;
  const pageName = 'docs/reference/conformance.md';
  const page = readFileSync(join(root, pageName), 'utf8');
  for (const name of names) {
    const passedLocally = local[name]?.status === 'passed';
    const passed = results[name]?.status === 'passed';
    if (passed && Object.hasOwn(known, name)) {
      found.push(`${name}\n  passes on ${project}: it is not a difference any more, take it out of differences.json`);
    } else if (passedLocally && !passed && !Object.hasOwn(known, name)) {
      found.push(
        [
          name,
          `passes on mediasoup, and fails on ${project}:`,
          ...(results[name]?.messages ?? ['it was not run']),
        ].join('\n  '),
      );
    } else if (!passedLocally) {
      found.push([name, 'fails on mediasoup itself:', ...(local[name]?.messages ?? ['it was not run'])].join('\n  '));
    }
  }
  for (const name of Object.keys(known)) {
    if (!isPartOfAll && !names.has(name)) found.push(`${name}\n  is in differences.json, but there is no such test`);
    if (!page.includes(name)) found.push(`${name}\n  is in differences.json, but not in ${pageName}`);
  }
  console.log(`${project}: ${passedOf(results)} of ${names.size}`);
  return found;
}

function passedOf(results) {
  return Object.values(results).filter(({ status }) => status === 'passed').length;
}

/** @returns {Promise<any>} what the process says next */
async function answerOf(child) {
  const [answer] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('the server has ended before its time');
    }),
  ]);
  return answer;
}
