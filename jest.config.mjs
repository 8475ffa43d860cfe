/** The tests run from the TypeScript sources as ES modules: see scripts/test.mjs for the flag that it takes. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }] },
  // Most of a test is waiting: for sockets, for Workers, for timers.
  maxWorkers: '150%',
  // A worker start, a browser start: bounded, but slow on a busy machine.
  testTimeout: 60_000,
};
