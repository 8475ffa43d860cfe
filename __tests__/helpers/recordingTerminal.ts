/** A terminal that keeps what a command writes. */
import type { Terminal } from '../../src/cli/terminal.ts';

export class RecordingTerminal implements Terminal {
  readonly lines: string[] = [];
  readonly errors: string[] = [];

  readonly out = (line: string): void => void this.lines.push(line);
  readonly err = (line: string): void => void this.errors.push(line);

  get text(): string {
    return this.lines.join('\n');
  }
}
