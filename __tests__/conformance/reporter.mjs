/** A jest reporter that writes down how each test went, by project and name, for scripts/conformance.mjs. */
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';

export default class ResultsReporter {
  onRunComplete(_contexts, { testResults }) {
    const results = { local: {}, remote: {}, horizontal: {} };
    for (const { displayName, testFilePath, testResults: tests, testExecError } of testResults) {
      const file = basename(testFilePath, '.js').replace('test-', '');
      const project = results[displayName.name];
      // A file that can't even be loaded has no tests.
      if (testExecError) project[`${file}: (the file)`] = { status: 'failed', messages: [testExecError.message] };
      for (const { fullName, status, failureMessages } of tests)
        project[`${file}: ${fullName}`] = { status, messages: failureMessages };
    }
    writeFileSync(process.env.CONFORMANCE_RESULTS, JSON.stringify(results));
  }
}
