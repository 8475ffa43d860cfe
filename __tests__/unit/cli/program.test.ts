/** Commands in this process, with real servers. */
import { describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RemoteMafaldaClient } from '../../../src/index.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { describeListening } from '../../../src/cli/serverOptions.ts';
import { closingAfterEach } from '../../helpers/cleanup.ts';
import { RecordingTerminal } from '../../helpers/recordingTerminal.ts';
import { Served, untilConnected } from '../../helpers/serve.ts';
import { selfSigned } from '../../helpers/tls.ts';

const opened = closingAfterEach();

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = new RecordingTerminal();
  const code = await runProgram(args, terminal);
  return { code, out: terminal.text, err: terminal.errors.join('\n') };
}

describe('the command line', () => {
  test.each(['serve', 'cluster', 'status', 'drain', 'doctor'])('%s explains itself, with examples', async command => {
    const { code, out } = await run(command, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`$ mafalda-horizontal ${command}`);
    expect(out).toMatch(/MAFALDA_ANNOUNCED_ADDRESS/);
  });

  test.each<[string, string[], RegExp]>([
    ['an unknown command', ['server'], /unknown command 'server'[\s\S]*Did you mean serve\?/],
    ['an unknown argument', ['serve', '--prot', '4443'], /unknown option '--prot'[\s\S]*Did you mean --port\?/],
    ['a server without a token', ['serve', '--port', '0'], /no token: set MAFALDA_TOKEN/],
    ['two answers to who may come in', ['serve', '--open', '--token', 'secret'], /give one of them/],
    ['an option that the library refuses', ['serve', '--open', '--session-timeout', '0'], /sessionTimeout/],
    ['a cluster without nodes', ['cluster', '--open'], /no nodes/],
    [
      'a strategy that there is not',
      ['cluster', '--open', '--nodes', 'ws://a', '--strategy', 'leastLoded'],
      /leastLoaded/,
    ],
    ['no servers', ['status'], /no servers/],
    ['no node', ['drain'], /missing required argument 'node'/],
  ])('%s is a wrong call, and says so', async (_what, args, message) => {
    const { code, err } = await run(...args);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});

test('a server says if it listens on all addresses', () => {
  const served = { url: 'ws://127.0.0.1:4443' };
  expect(describeListening(served, {})).toBe('ws://127.0.0.1:4443 and all other addresses of this machine');
  expect(describeListening(served, { host: '0.0.0.0' })).toMatch(/all other addresses/);
  expect(describeListening(served, { host: '127.0.0.1' })).toBe('ws://127.0.0.1:4443');
});

describe('status', () => {
  test('tells of each server, and fails if one of them can’t be reached', async () => {
    const served = opened(await Served.create({ auth: 'secret', region: 'eu' }));
    const client = opened(new RemoteMafaldaClient(served.url, { token: 'secret' }));
    await client.createMafaldaRouter({ id: 'room' }).createDirectTransport();
    const well = await run('status', served.url, '--token', 'secret', '--json');
    expect(well.code).toBe(0);
    expect(JSON.parse(well.out)).toMatchObject([
      { url: served.url, state: 'ready', region: 'eu', rooms: 1, workers: 1, transports: 1, consumers: 0 },
    ]);

    await served.server.drain({ deadline: 0 });
    const ill = await run('status', served.url, 'ws://127.0.0.1:1', '--token', 'secret');
    expect(ill.code).toBe(1);
    const [header, one, other] = ill.out.split('\n');
    expect(header).toMatch(/^server +state +load %/);
    expect(one).toMatch(/draining/);
    expect(other).toMatch(/^ws:\/\/127\.0\.0\.1:1 +unreachable +-/);
    expect(ill.err).toMatch(/ECONNREFUSED/);
    expect((await run('status', served.url, '--token', 'guessed')).err).toMatch(/unauthorized/);
  });
});

describe('drain', () => {
  test('waits until nothing is left, or the deadline has passed', async () => {
    const served = opened(await Served.create());
    const client = opened(new RemoteMafaldaClient(served.url));
    await untilConnected(client);
    const transport = await client.createMafaldaRouter().createDirectTransport();
    const late = await run('drain', served.url, '--deadline', '0');
    expect([late.code, served.server.draining]).toEqual([3, true]);
    expect(late.out).toContain('1 transports are left');

    expect((await run('drain', served.url, '--undo')).code).toBe(0);
    expect(served.server.draining).toBe(false);

    const draining = run('drain', served.url);
    transport.close();
    expect(await draining).toMatchObject({
      code: 0,
      out: expect.stringContaining('nothing is left') as unknown as string,
    });
  });
});

describe('doctor', () => {
  test('finds out whether servers let it in, and reach each other', async () => {
    const [a, b] = [opened(await Served.create({ auth: 'secret' })), opened(await Served.create({ auth: 'secret' }))];
    const well = await run('doctor', a.url, b.url, '--token', 'secret');
    expect(well.out).not.toContain('PROBLEM');
    expect(well.out).toMatch(/ok +ws:.* and ws:.*: pipes: UDP gets through in both directions/);
    expect(well.code).toBe(0);
    expect([a.mafalda.transports.size, a.server.counts.mafaldaRouters]).toEqual([0, 0]);

    const ill = await run('doctor', a.url, '--token', 'guessed', '--json');
    expect(ill.code).toBe(1);
    expect(JSON.parse(ill.out)).toContainEqual({
      check: `${a.url}: connection and token`,
      state: 'problem',
      text: expect.stringContaining('unauthorized') as unknown as string,
    });
  });

  test('says that pipes get no media through where a server announces an address that leads nowhere', async () => {
    const a = opened(await Served.create());
    const pipeListenInfo = { protocol: 'udp', ip: '127.0.0.1', announcedAddress: '192.0.2.1' } as const;
    const b = opened(await Served.create({ pipeListenInfo }));
    const { out, code } = await run('doctor', a.url, b.url);
    expect(out).toMatch(/PROBLEM +ws:.* and ws:.*: pipes: no UDP gets through/);
    expect(code).toBe(1);
  });

  test('looks at the clock and the certificate of a server with TLS, and trusts none that it does not know', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mafalda-doctor-'));
    opened({ close: () => rm(folder, { recursive: true }) });
    const certificate = await selfSigned();
    await writeFile(join(folder, 'ca.pem'), certificate.cert);
    const { url } = opened(await Served.create(certificate));
    const known = await run('doctor', url, '--ca', join(folder, 'ca.pem'));
    expect(known.out).toMatch(/ok +wss:.*: clock: differs by 0\.\d s/);
    expect(known.out).toMatch(/warning +wss:.*: certificate: the certificate of CN=mafalda-test ends in [01] days/);
    expect(known.code).toBe(0);
    const unknown = await run('doctor', url);
    expect(unknown.out).toMatch(/PROBLEM +wss:.*: certificate: .*self-signed/);
    expect(unknown.code).toBe(1);
  });

  test('an announced address that leads here is not this machine’s alone, and one that leads nowhere is told', async () => {
    const here = await run('doctor', '--announced-address', '127.0.0.2');
    expect(here.out).toMatch(
      /ok +announced address: 127\.0\.0\.2 leads here: a packet to its UDP port \d+ has come back/,
    );
    const nowhere = await run('doctor', '--announced-address', '192.0.2.1');
    expect(nowhere.out).toMatch(/warning +announced address: 192\.0\.2\.1 is none of this machine’s/);
  });

  test('looks at this machine', async () => {
    const { out, code } = await run('doctor', '--announced-address', '127.0.0.1');
    expect(out).toMatch(/ok +mediasoup’s Worker: mediasoup \d/);
    expect(out).toMatch(/ok +announced address: 127\.0\.0\.1 is this machine’s/);
    expect(out).toMatch(/cores and memory: \d+ cores/);
    expect(code).toBe(0);
  });
});
