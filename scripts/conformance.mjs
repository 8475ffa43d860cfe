#!/usr/bin/env node
/**
 * Runs mediasoup's own test suite on `client.mediasoup`, with a server in a process of its own, and beside it on
 * mediasoup itself as control. Fails if a test that passes on mediasoup fails on `client.mediasoup` and is not among the
 * known differences, or if one that is among them passes: the list must stay true. Arguments go to jest, to run a part.
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

const server = fork(join(suite, 'server.ts'), { execArgv: ['--import', 'tsx'], env: { ...process.env, CONFORMANCE_TOKEN: token } });
const { url } = await answerOf(server);

const env = {
  ...process.env,
  // The sources are ES modules, which jest runs only with this flag; its workers inherit the variable.
  NODE_OPTIONS: [process.env.NODE_OPTIONS, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning'].filter(Boolean).join(' '),
  CONFORMANCE_URL: url,
  CONFORMANCE_TOKEN: token,
  CONFORMANCE_RESULTS: resultsFile,
  CONFORMANCE_DTLS_FOLDER: folder,
};
const jest = [join(root, 'node_modules/jest/bin/jest.js'), '--config', join(suite, 'jest.config.mjs')];
const reporters = process.env.CONFORMANCE_VERBOSE ? ['--reporters=default'] : ['--silent'];
const run = spawn(process.execPath, [...jest, ...process.argv.slice(2), ...reporters, `--reporters=${join(suite, 'reporter.mjs')}`], {
  cwd: root,
  env,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    run.kill(signal);
    // The server ends when it finds itself alone.
    process.exit(1);
  });
}
await once(run, 'close');

server.send('close');
const { left } = await answerOf(server);
server.disconnect();

const problems = compare(JSON.parse(readFileSync(resultsFile, 'utf8')), readDifferences());
for (const [what, count] of Object.entries(left)) if (count > 0) problems.push(`the server still has ${count} ${what}, though all clients are gone`);
for (const problem of problems) console.log(`\n${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;

/** The known differences: the reason, by the name of the test. */
function readDifferences() {
  return JSON.parse(readFileSync(join(suite, 'differences.json'), 'utf8'));
}

/** @returns what is not as it should be */
function compare({ local, remote }, differences) {
  const found = [];
  const names = new Set([...Object.keys(local), ...Object.keys(remote)]);
  const isPartOfAll = process.argv.length > 2;
  const pageName = 'docs/reference/conformance.md';
  const page = readFileSync(join(root, pageName), 'utf8');
  for (const name of names) {
    const passedLocally = local[name]?.status === 'passed';
    const passed = remote[name]?.status === 'passed';
    if (passed && Object.hasOwn(differences, name)) {
      found.push(`${name}\n  passes: it is not a difference any more, take it out of differences.json`);
    } else if (passedLocally && !passed && !Object.hasOwn(differences, name)) {
      found.push([name, 'passes on mediasoup, and fails on client.mediasoup:', ...(remote[name]?.messages ?? ['it was not run'])].join('\n  '));
    } else if (!passedLocally) {
      found.push([name, 'fails on mediasoup itself:', ...(local[name]?.messages ?? ['it was not run'])].join('\n  '));
    }
  }
  for (const name of Object.keys(differences)) {
    if (!isPartOfAll && !names.has(name)) found.push(`${name}\n  is in differences.json, but there is no such test`);
    if (!page.includes(name)) found.push(`${name}\n  is in differences.json, but not in ${pageName}`);
  }
  const count = results => Object.values(results).filter(({ status }) => status === 'passed').length;
  console.log(`mediasoup: ${count(local)} of ${names.size} tests pass; client.mediasoup: ${count(remote)} of ${names.size}`);
  return found;
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
