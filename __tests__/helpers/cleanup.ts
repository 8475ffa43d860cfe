/** What a test opens is closed after it, the latest first, whether it passes or not. */
import { afterAll, afterEach } from '@jest/globals';

interface Closable {
  close(): unknown;
}

/** To be called once in a file. @returns what notes a thing to be closed, and gives it back */
export function closingAfterEach(): <T extends Closable>(thing: T) => T {
  const opened: Closable[] = [];
  const close = async (): Promise<void> => {
    for (const thing of opened.splice(0).reverse()) await thing.close();
  };
  afterEach(close);
  // After tests that run at once (`test.concurrent`) no hook of theirs runs.
  afterAll(close);
  return thing => {
    opened.push(thing);
    return thing;
  };
}
