/** `doctor`: finds out what this machine, or a server, can do, before people find out that it can't. */
import { command } from '../command.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { localChecks, type LocalValues } from '../checks/localChecks.ts';
import { pairChecks, serverChecks } from '../checks/serverChecks.ts';
import type { Check, Finding } from '../checks/check.ts';
import { clientSettings, outputSettings } from '../settings/clientSettings.ts';
import { serveSettings } from '../settings/serveSettings.ts';
import type { Values } from '../settings/setting.ts';
import type { Terminal } from '../terminal.ts';

/** Settings of `serve`, to be looked at before it is started, and those for asking servers. */
const doctorSettings = { ...serveSettings, ...clientSettings, ...outputSettings };

const signs: Record<Finding['state'], string> = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' };

export const doctor = command({
  name: 'doctor',
  summary: 'what this machine can do, or what servers can: versions, token, round trip, and pipes between them',
  operands: ['[urls...]', 'servers; default: this machine, with the settings of serve'],
  settings: doctorSettings,
  examples: [
    { settings: { port: '4443', announcedAddress: '203.0.113.7', mediaPorts: '40000-40015' } },
    { operands: ['wss://media-1.example:4443', 'wss://media-2.example:4443'] },
  ],
  run: look,
});

/**
 * Looks at this machine, or at the servers.
 * @param urls of servers; none: this machine
 * @returns the exit code: failed if there is a problem
 */
async function look(
  values: Values<typeof doctorSettings>,
  urls: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  const isJson = values.json;
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
