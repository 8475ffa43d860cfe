/** The tests run from the TypeScript sources as ES modules: see scripts/test.mjs for the flag that it takes. */
export default {
  testEnvironment: '<rootDir>/scripts/test-environment.mjs',
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  // Each test file is a cluster of processes, which waits more than it works: one for each core keeps a core half busy.
  maxWorkers: '100%',
  // jest keeps the modules of every file that it has run, about 10 MB each: after a hundred of them a process of 2 GB collects garbage rather than answers calls. With a limit,
  // files run in a process of their own, which is replaced when it has grown so large.
  workerIdleMemoryLimit: '400MB',
  // Only a test that hangs needs it: on a machine that is busy with other things, a start of a worker or a browser takes ten times as long.
  testTimeout: 300_000,
};
