/** A jest reporter whose one line, `N passed, N failed`, closes the output of the tests. */
export default class CountReporter {
  #counts = { passed: 0, failed: 0, skipped: 0 };

  constructor() {
    // Later than everything that jest itself has to say, warnings about open handles included.
    process.once('exit', () => {
      const { passed, failed, skipped } = this.#counts;
      console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
    });
  }

  onRunComplete(_contexts, results) {
    this.#counts = {
      passed: results.numPassedTests,
      // A file that could not even be loaded has no tests to count, but it did fail.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
  }

  /** jest fails a run in which a reporter has an error: nothing else makes it fail when all tests are skipped. */
  getLastError() {
    const { passed, failed } = this.#counts;
    return passed + failed ? undefined : new Error('no test ran');
  }
}
