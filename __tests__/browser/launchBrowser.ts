import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

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

/** Chromium with a camera and a microphone that are made up. @throws if there is none on this machine */
export function launchBrowser(): Promise<Browser> {
  const executablePath = [
    process.env['CHROMIUM_BIN'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ].find(path => path && existsSync(path));
  if (!executablePath)
    throw new Error('there is no Chromium: run `node scripts/setup.mjs --browser`, or set CHROMIUM_BIN');
  return chromium.launch({ executablePath, args });
}
