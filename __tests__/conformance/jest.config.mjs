/**
 * mediasoup's own compiled test suite, as it is in its package: on mediasoup in this process as control, on `mediasoup` of a
 * RemoteMafaldaClient, and on that of a MafaldaHorizontal with two servers. See scripts/conformance.mjs, which runs it.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = import.meta.dirname;
const mediasoup = dirname(createRequire(import.meta.url).resolve('mediasoup'));

const suite = {
  rootDir: fileURLToPath(new URL('../..', import.meta.url)),
  roots: [join(mediasoup, 'test'), here],
  testEnvironment: 'node',
  testMatch: ['**/test-*.js'],
  // What jest by itself leaves alone because it is in node_modules.
  haste: { retainAllFiles: true },
  testPathIgnorePatterns: [],
  transformIgnorePatterns: ['/node_modules/(?!mediasoup/node/lib/test/)'],
  transform: {
    'test-Worker\\.js$': join(here, 'certificate.cjs'),
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
};

const instead = project => ({
  ...suite,
  displayName: project,
  globals: { project },
  extensionsToTreatAsEsm: ['.ts'],
  setupFilesAfterEnv: [join(here, 'connect.ts')],
  moduleNameMapper: { '^\\.\\./$': join(here, 'mediasoup.cjs') },
});

export default { projects: [{ ...suite, displayName: 'local' }, instead('remote'), instead('horizontal')] };
