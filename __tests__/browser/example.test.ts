/** The example as people use it: Chromium, real WebRTC, and servers that are processes of their own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { io, type Socket } from 'socket.io-client';
import { ExampleProcess } from '../../examples/sfu-server/exampleProcess.ts';
import type { PageRequests, ServerEvents } from '../../examples/sfu-server/signalling.ts';
import type { TransportStory } from '../helpers/processes/sfu.ts';
import { until } from '../helpers/until.ts';
import { launchBrowser } from './launchBrowser.ts';
import { Person } from './person.ts';

let example: ExampleProcess;
let browser: Browser;
let url: string;
let ann: Person;
let bob: Person;

beforeAll(async () => {
  browser = await launchBrowser();
  example = new ExampleProcess({ MEDIA_ADDRESS: '127.0.0.1' });
  url = await example.url();
});

afterAll(async () => {
  await (browser as Browser | undefined)?.close();
  await (example as ExampleProcess | undefined)?.stop('SIGKILL');
});

/** More than a second of picture, and sound that is not silence. */
async function untilSeenAndHeard(person: Person): Promise<void> {
  const before = await person.received();
  await until(`${person.name} sees and hears somebody`, async () => {
    const now = await person.received();
    return (
      now.frames >= before.frames + 30 &&
      now.audioSamples >= before.audioSamples + 48_000 &&
      now.audioEnergy > before.audioEnergy
    );
  });
}

test('two people on different servers see and hear each other', async () => {
  ann = await Person.join(browser, url, 'browser test', 'Ann');
  // The servers are fresh, and each person goes to the least loaded one, with both transports.
  expect(await ann.pathOf(ann)).toMatch(/^you → server (\d) · server \1 → you$/);
  bob = await Person.join(browser, url, 'browser test', 'Bob');
  expect(await ann.pathOf(bob)).toMatch(/^Bob → server (\d) → server (?!\1)\d → you \(piped\)$/);
  const [annSendsTo, bobSendsTo] = await Promise.all(
    [ann, bob].map(async person => (await person.pathOf(person)).match(/server \d/)?.[0]),
  );
  expect(bobSendsTo).not.toBe(annSendsTo);
  await Promise.all([untilSeenAndHeard(ann), untilSeenAndHeard(bob)]);
});

test('a camera that is switched off is off everywhere, and can be switched on again', async () => {
  const picture = ann.page.locator('[data-peer="Bob"]');
  await bob.page.click('#video');
  await picture.and(ann.page.locator('.no-picture')).waitFor();
  await bob.page.click('#video');
  await picture.and(ann.page.locator(':not(.no-picture)')).waitFor();
  await untilSeenAndHeard(ann);
});

test('a third person who comes and goes leaves the others as they were', async () => {
  const cleo = await Person.join(browser, url, 'browser test', 'Cleo');
  await untilSeenAndHeard(cleo);
  await until('all see all', async () =>
    (await Promise.all([ann, bob].map(person => person.names()))).every(({ length }) => length === 3),
  );
  await cleo.leave();
  await until('Cleo is gone', async () => (await ann.names()).length === 2 && (await bob.names()).length === 2);
  expect(await ann.names()).toEqual(['Ann (you)', 'Bob']);
  await Promise.all([untilSeenAndHeard(ann), untilSeenAndHeard(bob)]);
});

test('when a media server dies, those who were there go on by the others', async () => {
  const [, number] = (await bob.pathOf(bob)).match(/server (\d)/)!;
  const [, pid] = example.output.match(new RegExp(`server ${number} is process (\\d+)`))!;
  process.kill(Number(pid), 'SIGKILL');
  await bob.page.getByText('A media server is gone').waitFor();
  await bob.page.getByRole('button', { name: 'Close this message' }).press('Enter');
  expect(await bob.page.getByText('A media server is gone').count()).toBe(0);
  expect(await bob.page.evaluate('document.activeElement.tagName')).toBe('MAIN');
  await until('Bob sends to another server', async () => !(await bob.pathOf(bob)).startsWith(`you → server ${number}`));
  await until(
    'both are there',
    async () => [...(await ann.names()), ...(await bob.names())].join() === 'Ann (you),Bob,Ann,Bob (you)',
  );
  expect(await ann.pathOf(bob)).not.toContain(`server ${number}`);
  await Promise.all([untilSeenAndHeard(ann), untilSeenAndHeard(bob)]);
});

test('who leaves disappears for the others', async () => {
  await bob.leave();
  await until('Ann is alone', async () => (await ann.names()).join() === 'Ann (you)');
  await ann.page.getByText('Nobody else is here yet').waitFor();
  expect(await ann.page.locator('#announcements').innerText()).toContain('Bob has left.');
});

test('who joins by the form is told what is missing beside the field, and never loses the focus', async () => {
  const { page } = ann;
  await page.click('#leave');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Join');
  await page.fill('[name=name]', '  ');
  await page.keyboard.press('Enter');
  expect(await page.locator('#name-problem').innerText()).toMatch(/Under which name/);
  expect(await page.evaluate('document.activeElement.name')).toBe('name');
  await page.fill('[name=name]', 'Ann');
  expect(await page.locator('#name-problem').innerText()).toBe('');
  await page.keyboard.press('Enter');
  await until('Ann is in the room', async () => (await ann.names()).length === 1);
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Call in the room “browser test”');
});

/** People without media: what the page shows of them needs no browser of theirs. */
async function join(name: string): Promise<Socket<ServerEvents, PageRequests>> {
  const socket: Socket<ServerEvents, PageRequests> = io(url, { transports: ['websocket'], forceNew: true });
  await socket.emitWithAck('join', { room: 'browser test', name });
  return socket;
}

interface Box {
  top: number;
  bottom: number;
  footer: number;
}

const boxesOf = `[...document.querySelectorAll('.tile')].map(tile => {
  const { top, bottom } = tile.getBoundingClientRect();
  return { top, bottom, footer: tile.querySelector('footer').getBoundingClientRect().height };
})`;

test('all people are to be seen at once, on screens and phones, and by those who can’t see', async () => {
  const { page } = ann;
  const guests: Socket[] = [];
  try {
    for (const name of ['Bob', 'Cleo', 'Dan', 'Eve', 'Fred']) {
      guests.push(await join(name));
      await page.getByRole('article', { name }).waitFor();
      await page.getByText(`${name} has joined.`).first().waitFor({ state: 'attached' });
      expect(await page.getByLabel(`Picture of ${name}`, { exact: true }).count()).toBe(1);
      await page.setViewportSize(name === 'Fred' ? { width: 390, height: 844 } : { width: 1280, height: 720 });
      const top = (await page.locator('header').boundingBox())!.height;
      const bottom = (await page.locator('nav').boundingBox())!.y;
      // Resizing is noticed with the next picture of the page.
      await until('the tiles fill the height', async () => {
        const boxes = await page.evaluate<Box[]>(boxesOf);
        const isFull = (place: number, edge: number): boolean => Math.abs(place - edge) < 24;
        return (
          boxes.length === guests.length + 1 &&
          isFull(Math.min(...boxes.map(box => box.top)), top) &&
          isFull(Math.max(...boxes.map(box => box.bottom)), bottom)
        );
      });
      const footers = (await page.evaluate<Box[]>(boxesOf)).map(({ footer }) => footer);
      expect(new Set(footers).size).toBe(1);
    }
  } finally {
    for (const guest of guests) guest.disconnect();
    await page.setViewportSize({ width: 1280, height: 720 });
  }
});

test('SIGTERM ends all processes, with people in the room, and says so to them until they are out', async () => {
  const { page } = ann;
  await until('Ann sends', async () => (await ann.pathOf(ann)).length > 0);
  await page.evaluate('globalThis.track = document.querySelector("video").srcObject.getAudioTracks()[0]');
  await page.clock.install();
  example.output = '';
  expect(await example.stop('SIGTERM')).toEqual([]);
  expect(example.exitCode).toBe(0);
  expect(example.output).toBe('');
  await page.getByText('The connection to the server is lost: it has been stopped. Trying again…').waitFor();
  expect(await page.evaluate('track.enabled')).toBe(false);
  expect(await page.getByText('Nobody else is here').count()).toBe(0);
  await page.clock.runFor(30_000);
  await page.getByText('You are out of the room: the server has been gone for 30 s.').waitFor();
  expect(await page.evaluate('track.readyState')).toBe('ended');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Join');
});

test('WebRtcTransports connect, tell so in mediasoup’s order, and trace how much they can send', async () => {
  const sfu = fork(fileURLToPath(new URL('../helpers/processes/sfu.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  });
  const answer = async (): Promise<unknown> => ((await once(sfu, 'message')) as unknown[])[0];
  const stories = async (): Promise<TransportStory[]> => {
    sfu.send('stories?');
    return (await answer()) as TransportStory[];
  };
  try {
    const page = (await answer()) as string;
    const people = [
      await Person.join(browser, page, 'traced', 'Ann'),
      await Person.join(browser, page, 'traced', 'Bob'),
    ];
    let told: TransportStory[] = [];
    const isConnected = ({ dtlsState }: TransportStory): boolean => dtlsState === 'connected';
    const isTraced = ({ traced }: TransportStory): boolean => traced.includes('bwe');
    await until('all are connected, and those that send to a browser know its bandwidth', async () => {
      told = await stories();
      return told.length === 4 && told.every(isConnected) && told.filter(isTraced).length === 2;
    });
    for (const story of told) {
      expect(story).toMatchObject({ selectedProtocol: 'udp', hasRemoteCertificate: true });
      expect(['connected', 'completed']).toContain(story.iceState);
      expect(story.told).toEqual(
        expect.arrayContaining(['ice connected', 'tuple udp', 'dtls connecting', 'dtls connected']),
      );
      const [ice, connecting, connected] = ['ice connected', 'dtls connecting', 'dtls connected'].map(what =>
        story.told.indexOf(what),
      );
      expect(Math.max(ice!, connecting!)).toBeLessThan(connected!);
    }
    await Promise.all(people.map(person => person.leave()));
    await until('they are gone', async () => (await stories()).every(({ dtlsState }) => dtlsState === 'closed'));
  } finally {
    sfu.disconnect();
    await once(sfu, 'exit');
  }
});
