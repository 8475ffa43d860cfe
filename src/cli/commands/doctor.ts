/** `doctor`: finds out what this machine, or a server, can do, before people find out that it can't. */
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { localChecks, type LocalValues } from '../checks/localChecks.ts';
import { pairChecks, serverChecks } from '../checks/serverChecks.ts';
import type { Check, Finding } from '../checks/check.ts';
import type { Values } from '../settings/readSettings.ts';
import { clientSettings, serveSettings } from '../settings/serverSettings.ts';
import type { Terminal } from '../terminal.ts';

/** Settings of `serve`, to be looked at before it is started, and those for asking servers. */
export const doctorSettings = { ...serveSettings, ...clientSettings } as const;

const signs: Record<Finding['state'], string> = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' };

/**
 * Looks at this machine, or at the servers.
 * @param urls of servers; none: this machine
 * @returns the exit code: failed if there is a problem
 */
export async function doctor(
  urls: readonly string[],
  values: Values<typeof doctorSettings>,
  isJson: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const checks: readonly Check[] =
    urls.length === 0
      ? localChecks(values satisfies LocalValues)
      : [...urls.flatMap(url => serverChecks(url, values)), ...pairChecks(urls, values)];
  const findings: (Finding & { check: string })[] = [];
  // A check may say what the next one fails for, so they come one after the other.
  for (const { name, run } of checks) {
    const finding = await run().catch((error: Error): Finding => ({ state: 'problem', text: error.message }));
    findings.push({ check: name, ...finding });
    if (!isJson) terminal.out(`${signs[finding.state]}  ${name}: ${finding.text}`);
  }
  if (isJson) terminal.out(JSON.stringify(findings, null, 2));
  return findings.some(({ state }) => state === 'problem') ? EXIT.failed : EXIT.ok;
}
