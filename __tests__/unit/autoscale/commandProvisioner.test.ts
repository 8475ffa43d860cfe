import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandProvisioner, type CommandProvisionerOptions } from '../../../src/autoscale/index.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'mafalda-commands-'))));
afterAll(() => rm(folder, { recursive: true }));

/** A shell's script, as a file of the user's would be. */
function sh(script: string): [string, ...string[]] {
  return ['/bin/sh', '-c', script];
}

function provisioner(commands: Partial<CommandProvisionerOptions> = {}): CommandProvisioner {
  return new CommandProvisioner({
    start: sh('exit 9'),
    stop: sh('exit 9'),
    list: sh('exit 9'),
    cwd: folder,
    ...commands,
  });
}

function request(more: object = {}): { signal: AbortSignal } {
  return { signal: new AbortController().signal, ...more };
}

test('a start gets its environment, and its answer is what it prints', async () => {
  const script = `echo "{\\"id\\": \\"$MAFALDA_REGION-$MAFALDA_FENCE-$COLOUR\\", \\"url\\": \\"wss://media-1:4443\\"}"`;
  const started = provisioner({ start: sh(script), env: { COLOUR: 'blue' } }).start(
    request({ region: 'eu', fence: 7 }),
  );
  await expect(started).resolves.toEqual({ id: 'eu-7-blue', url: 'wss://media-1:4443' });
});

test('no shell sees what others have chosen', async () => {
  const id = `x"; touch "$HOME/oops"; $(touch oops) \``;
  await provisioner({ stop: sh('printf %s "$MAFALDA_SERVER_ID" > stopped') }).stop(id);
  expect(await readFile(join(folder, 'stopped'), 'utf8')).toBe(id);
  const started = provisioner({ start: ['printf', '{"id": "%s", "url": "ws://$(hostname)"}', '; exit 1'] }).start(
    request(),
  );
  await expect(started).resolves.toEqual({ id: '; exit 1', url: 'ws://$(hostname)' });
});

test('a list is an array, whose servers need not have a URL yet', async () => {
  const list = sh(`echo '[{"id": "a", "url": "ws://a:1", "region": "eu", "colour": "blue"}, {"id": "b"}]'`);
  await expect(provisioner({ list }).list()).resolves.toEqual([
    { id: 'a', url: 'ws://a:1', region: 'eu' },
    { id: 'b' },
  ]);
});

describe('what is refused', () => {
  test.each([
    ['an exit code', 'echo no quota >&2; exit 3', '/bin/sh has ended with exit code 3: no quota'],
    ['a signal', 'kill -9 $$', '/bin/sh was ended by SIGKILL'],
    ['no JSON', 'echo started', 'the command for start must print JSON, and has printed "started\\n"'],
    ['no id', `echo '{"url": "ws://a"}'`, 'the id of a server must be a text'],
    ['no url', `echo '{"id": "a"}'`, 'the server "a" has no url'],
    ['another url', `echo '{"id": "a", "url": "http://a"}'`, 'must begin with ws:// or wss://'],
    ['no object', 'echo 5', 'a server is expected as { id, url }, not 5'],
    ['too much', 'yes', 'can’t be run (ERR_CHILD_PROCESS_STDIO_MAXBUFFER)'],
  ])('%s of a start', async (_what, script, message) => {
    await expect(provisioner({ start: sh(script) }).start(request())).rejects.toThrow(message);
  });

  test('a list that is none', async () => {
    await expect(provisioner({ list: sh('echo {}') }).list()).rejects.toThrow('a list of servers is expected, not {}');
  });

  test('a file that is not there', async () => {
    await expect(provisioner({ stop: ['./no-such-file'] }).stop('a')).rejects.toThrow('can’t be run (ENOENT)');
  });

  test.each([
    [{ start: 'start.sh' }, 'start must be an array of texts'],
    [{ stop: [] }, 'stop must be an array of texts'],
    [{ timeout: 0 }, 'timeout must be a number of milliseconds'],
    [{ shell: true }, 'unknown option shell'],
  ])('the options %j', (options, message) => {
    expect(() => provisioner(options as object)).toThrow(message);
  });
});

test('a command that takes too long is ended', async () => {
  const slow = provisioner({ start: sh('echo slow >&2; exec sleep 60'), timeout: 200 });
  await expect(slow.start(request())).rejects.toThrow('/bin/sh has taken longer than 200 ms');
});

test('a start that is given up is ended', async () => {
  const aborter = new AbortController();
  const started = provisioner({ start: sh('exec sleep 60') }).start({ signal: aborter.signal });
  aborter.abort(new Error('enough'));
  await expect(started).rejects.toThrow('/bin/sh was ended: enough');
  await expect(provisioner().start({ signal: aborter.signal })).rejects.toThrow('/bin/sh was not run: enough');
});
