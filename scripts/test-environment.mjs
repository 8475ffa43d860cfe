/**
 * jest's environment for Node.js, in a process that ends as soon as nothing is open any more. By itself Node.js takes apart first all that has been in memory, which takes longer
 * on a busy machine than the half second that jest gives its workers: it would complain of handles that are left open where there are none.
 */
import { TestEnvironment } from 'jest-environment-node';

let isWatching = false;

export default class extends TestEnvironment {
  async setup() {
    await super.setup();
    if (isWatching || process.env.JEST_WORKER_ID === undefined || !process.send) return;
    isWatching = true;
    process.once('beforeExit', code => process.exit(code));
  }
}
