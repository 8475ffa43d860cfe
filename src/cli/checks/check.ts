/** Check of `doctor`. */
export interface Check {
  name: string;
  /** @throws {Error} with the problem */
  run: () => Promise<Finding>;
}

export interface Finding {
  state: 'ok' | 'warning' | 'problem';
  /** Finding, and what to do about it. */
  text: string;
}

export const ok = (text: string): Finding => ({ state: 'ok', text });
export const warning = (text: string): Finding => ({ state: 'warning', text });
export const problem = (text: string): Finding => ({ state: 'problem', text });
