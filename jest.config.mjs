/** The tests run from the TypeScript sources as ES modules: see scripts/test.mjs for the flag that it takes. */
export default {
  testEnvironment: '<rootDir>/scripts/test-environment.mjs',
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }] },
  // Each test file is a cluster of processes: one for each core would be more than a machine can take.
  maxWorkers: '50%',
  // Nor more than one test of a file at a time: all servers of a file share its process, and two tiers of them are enough for it.
  maxConcurrency: 1,
  // A worker start, a browser start: bounded, but slow on a busy machine.
  testTimeout: 60_000,
};
