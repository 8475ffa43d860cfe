/** The example as people use it: Chromium, real WebRTC, and servers that are processes of their own. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chromium, type Browser } from 'playwright-core';
import { ExampleProcess } from '../../examples/sfu-server/exampleProcess.ts';
import { until } from '../helpers/until.ts';
import { Person } from './person.ts';

const executablePath = [process.env['CHROMIUM_BIN'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  path => path && existsSync(path),
);

const args = [
  '--no-sandbox',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const MEDIA_TIMEOUT_MS = 15_000;

let example: ExampleProcess;
let browser: Browser;
let url: string;
let ann: Person;
let bob: Person;

beforeAll(async () => {
  if (!executablePath) throw new Error('there is no Chromium: run `node scripts/setup.mjs --browser`, or set CHROMIUM_BIN');
  example = new ExampleProcess({ MEDIA_ADDRESS: '127.0.0.1' });
  browser = await chromium.launch({ executablePath, args });
  url = await example.url();
});

afterAll(async () => {
  await (browser as Browser | undefined)?.close();
  await (example as ExampleProcess | undefined)?.stop('SIGKILL');
});

/** More than a second of picture, and sound that is not silence. */
async function untilSeenAndHeard(person: Person): Promise<void> {
  const before = await person.received();
  await until(
    `${person.name} sees and hears somebody`,
    async () => {
      const now = await person.received();
      return (
        now.frames >= before.frames + 30 && now.audioSamples >= before.audioSamples + 48_000 && now.audioEnergy > before.audioEnergy
      );
    },
    MEDIA_TIMEOUT_MS,
  );
}

test('two people on different servers see and hear each other', async () => {
  ann = await Person.join(browser, url, 'browser test', 'Ann');
  // The servers are fresh, and each Transport goes to the least loaded one: the first three are on three of them.
  expect(await ann.pathOf(ann)).toMatch(/^you → server (\d) · server (?!\1)\d → you$/);
  bob = await Person.join(browser, url, 'browser test', 'Bob');
  expect(await ann.pathOf(bob)).toMatch(/^Bob → server (\d) → server (?!\1)\d → you \(piped\)$/);
  const [annSendsTo, bobSendsTo] = await Promise.all([ann, bob].map(async person => (await person.pathOf(person)).match(/server \d/)?.[0]));
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
  await until('all see all', async () => (await Promise.all([ann, bob].map(person => person.names()))).every(({ length }) => length === 3));
  await cleo.leave();
  await until('Cleo is gone', async () => (await ann.names()).length === 2 && (await bob.names()).length === 2);
  expect(await ann.names()).toEqual(['Ann (you)', 'Bob']);
  await Promise.all([untilSeenAndHeard(ann), untilSeenAndHeard(bob)]);
});

test('when a media server dies, those who were there go on by the others', async () => {
  const [, number] = (await bob.pathOf(bob)).match(/server (\d)/)!;
  const [, pid] = example.output.match(new RegExp(`server ${number} is process (\\d+)`))!;
  process.kill(Number(pid), 'SIGKILL');
  await until('Bob sends to another server', async () => !(await bob.pathOf(bob)).startsWith(`you → server ${number}`));
  await until('both are there', async () => [...(await ann.names()), ...(await bob.names())].join() === 'Ann (you),Bob,Ann,Bob (you)');
  expect(await ann.pathOf(bob)).not.toContain(`server ${number}`);
  await Promise.all([untilSeenAndHeard(ann), untilSeenAndHeard(bob)]);
});

test('who leaves disappears for the others', async () => {
  await bob.leave();
  await until('Ann is alone', async () => (await ann.names()).join() === 'Ann (you)');
});

test('Ctrl-C ends all processes', async () => {
  expect(await example.stop('SIGINT')).toEqual([]);
  expect(example.exitCode).toBe(0);
});
