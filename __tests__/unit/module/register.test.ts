/** An application that was written for plain mediasoup, as it is, on media servers: by `register`, and by one line. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as mediasoup from 'mediasoup';
import { opus } from '../../helpers/rtp.ts';
import { Served } from '../../helpers/serve.ts';
import { until } from '../../helpers/until.ts';

const token = 'of the module';
const register = ['--import', 'mafalda-horizontal/register'];

/** How it gets mediasoup, and what Node is told. */
const ways: [string, string, string[]][] = [
  ['that requires mediasoup', 'required.cjs', register],
  ['that imports mediasoup’s names', 'imported.mjs', register],
  ['that imports mediasoup’s default', 'importedDefault.mjs', register],
  ['that imports our module instead', 'oneLine.mjs', []],
];

let servers: Served[];

beforeAll(async () => {
  servers = await Promise.all([Served.create({ auth: token }), Served.create({ auth: token })]);
});

afterAll(async () => {
  for (const server of servers) await server.close();
});

class Application {
  readonly child: ChildProcess;
  readonly ended: Promise<[number | null, NodeJS.Signals | null]>;
  errors = '';
  #port: Promise<number>;

  constructor(file: string, flags: string[], environment: NodeJS.ProcessEnv = {}) {
    const script = fileURLToPath(new URL(`../../helpers/plainApplication/${file}`, import.meta.url));
    const env = {
      ...process.env,
      NODE_OPTIONS: '',
      MAFALDA_NODES: servers.map(({ url }) => url).join(),
      MAFALDA_TOKEN: token,
      ...environment,
    };
    this.child = spawn(process.execPath, [...flags, script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.child, 'close') as Application['ended'];
    this.child.stderr!.on('data', data => (this.errors += String(data)));
    const ready = once(this.child.stdout!, 'data').then(([line]) => Number(line));
    this.#port = Promise.race([ready, this.ended.then(() => Promise.reject(new Error(`it ended: ${this.errors}`)))]);
    this.#port.catch(() => undefined);
  }

  async ask<T>(method: string, data: object = {}): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${await this.#port}/${method}`, {
      method: 'POST',
      body: JSON.stringify(data),
    });
    const answer = (await response.json()) as T & { message?: string };
    if (!response.ok) throw new Error(answer.message);
    return answer;
  }

  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Two people of a room, who hear each other's packets. */
async function hear(application: Application): Promise<void> {
  await application.ask('createRoom', { name: 'room' });
  const { producerId, port } = await application.ask<{ producerId: string; port: number }>('send', {
    name: 'room',
    kind: 'audio',
    rtpParameters: opus(1234),
  });
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  try {
    let received = 0;
    socket.on('message', packet => {
      const isRtcp = packet[1]! >= 200 && packet[1]! <= 206;
      if (!isRtcp) ++received;
    });
    await application.ask('watch', { name: 'room', producerId, port: socket.address().port });
    let sequence = 0;
    await until('packets arrive', () => {
      const packet = Buffer.alloc(40);
      packet.set([0x80, 111]);
      packet.writeUInt16BE(++sequence, 2);
      packet.writeUInt32BE(sequence * 960, 4);
      packet.writeUInt32BE(1234, 8);
      socket.send(packet, port, '127.0.0.1');
      return received > 0;
    });
  } finally {
    socket.close();
  }
}

function parentOf(pid: number): number {
  return Number(
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/.*\) . /s, '')
      .split(' ')[0],
  );
}

function childrenOf(parent: number): number[] {
  const isChild = (pid: number): boolean => {
    try {
      return parentOf(pid) === parent;
    } catch {
      // It has ended in the meantime.
      return false;
    }
  };
  return readdirSync('/proc').map(Number).filter(Number.isInteger).filter(isChild);
}

const held = (): number => servers.reduce((sum, { server }) => sum + server.counts.objects + server.counts.clients, 0);

interface About {
  told: number;
  pids: number[];
  version: string;
  spread: string[];
  codecs: number;
}

describe.each(ways)('an application %s', (_what, file, flags) => {
  test('has its Workers on the servers, with media between them, and ends when it has closed them', async () => {
    const application = new Application(file, flags);
    try {
      await hear(application);
      const about = await application.ask<About>('about');
      expect(about).toMatchObject({
        told: 2,
        version: mediasoup.version,
        codecs: mediasoup.getSupportedRtpCapabilities().codecs!.length,
      });
      // All that mediasoup's module has, also for those who spread it.
      const names = Object.keys(mediasoup).filter(
        name => name !== 'default' && name !== 'module.exports' && !name.startsWith('__'),
      );
      expect(about.spread).toEqual(expect.arrayContaining(names));
      for (const pid of about.pids) expect(parentOf(pid)).toBe(process.pid);
      expect(childrenOf(application.child.pid!)).toEqual([]);
      expect(await application.ask('refuse', { name: 'room' })).toEqual({
        isError: true,
        name: 'NotFoundError',
        hasClasses: true,
      });
      expect(
        (await application.ask<{ iceCandidates: unknown[] }>('offerWebRtc', { name: 'room' })).iceCandidates.length,
      ).toBeGreaterThan(0);
      await application.ask('end');
      expect(await application.ended).toEqual([0, null]);
      await until('the servers hold nothing', () => held() === 0);
      expect(application.errors).toBe('');
    } finally {
      await application.end();
    }
  });
});

/** How it ends, and what is seen of that. */
const ends: [string, (application: Application) => unknown, Awaited<Application['ended']>][] = [
  ['SIGTERM', ({ child }) => child.kill('SIGTERM'), [null, 'SIGTERM']],
  ['SIGINT', ({ child }) => child.kill('SIGINT'), [null, 'SIGINT']],
  ['process.exit()', application => application.ask('exit').catch(() => undefined), [0, null]],
];

test.each(ends)('an application that ends by %s leaves nothing on the servers', async (_what, end, expected) => {
  const application = new Application('required.cjs', register);
  try {
    await application.ask('createRoom', { name: 'room' });
    expect(held()).toBeGreaterThan(0);
    await end(application);
    expect(await application.ended).toEqual(expected);
    // It has said so itself: a server that has to find out takes longer than anybody waits here.
    await until('the servers hold nothing', () => held() === 0, 5000);
  } finally {
    await application.end();
  }
});

test('the same application does the same without servers', async () => {
  const application = new Application('required.cjs', []);
  try {
    await hear(application);
    const { pids } = await application.ask<About>('about');
    for (const pid of pids) expect(parentOf(pid)).toBe(application.child.pid);
    await application.ask('end');
    expect(await application.ended).toEqual([0, null]);
  } finally {
    await application.end();
  }
});

test('without servers it says at the start what to do', async () => {
  const application = new Application('required.cjs', register, { MAFALDA_NODES: ' , ' });
  expect(await application.ended).toEqual([1, null]);
  expect(application.errors).toMatch(/no media servers: set MAFALDA_NODES/);
});

test('a token that is refused fails the first Worker, and says so', async () => {
  const application = new Application('imported.mjs', register, { MAFALDA_TOKEN: 'wrong' });
  expect(await application.ended).toEqual([1, null]);
  expect(application.errors).toMatch(/auth|token|refused/i);
});
