/** The files in `deploy`: what they name has to exist. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { knownSettings } from '../../src/cli/commands.ts';
import { CONFIG_VARIABLE } from '../../src/cli/settings/readSettings.ts';
import { serveSettings } from '../../src/cli/settings/serveSettings.ts';
import { variableOf } from '../../src/cli/settings/names.ts';
import { autoscalerMetrics } from '../../src/metrics/autoscalerMetrics.ts';
import { controllerMetrics, machineMetrics } from '../../src/metrics/mafaldaMetrics.ts';
import { processMetrics } from '../../src/metrics/processMetrics.ts';
import { anchorsOf } from '../helpers/anchors.ts';
import { CALL_DURATION, serverMetrics } from '../../src/metrics/serverMetrics.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const definitions = [
  ...autoscalerMetrics,
  ...processMetrics,
  ...machineMetrics,
  ...controllerMetrics,
  ...serverMetrics,
];
const histogram = ['_bucket', '_count', '_sum'].map(suffix => CALL_DURATION.name + suffix);
const names = new Set<string>([...definitions.map(({ name }) => name), CALL_DURATION.name, ...histogram]);
const labels = new Set<string>([
  ...definitions.flatMap(definition => definition.labels),
  ...CALL_DURATION.labels,
  // Prometheus adds these.
  'instance',
  'job',
  'le',
]);

test.each(['deploy/grafana/dashboard.json', 'deploy/prometheus/alerts.yml'])('%s asks for metrics that exist', file => {
  const text = read(file);
  const expressions = [...text.matchAll(/expr"?: (.*)/g)].map(([, expression]) => expression!.replaceAll('\\"', '"'));
  expect(expressions.length).toBeGreaterThan(10);
  const asked = expressions.flatMap(expression => [...expression.matchAll(/mafalda_\w+/g)].map(([name]) => name));
  expect(asked.filter(name => !names.has(name))).toEqual([]);
  const matched = expressions.flatMap(expression =>
    [...expression.matchAll(/\{([^{}]*)\}/g)].flatMap(([, matchers]) =>
      [...matchers!.matchAll(/(\w+)\s*(?:=~|!=|=)/g)].map(([, label]) => label!),
    ),
  );
  const grouped = expressions.flatMap(expression =>
    [...expression.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/,\s*/)),
  );
  const shown = [...text.matchAll(/\{\{ ?(?:\$labels\.)?(\w+)/g)].map(([, label]) => label!);
  expect([...matched, ...grouped, ...shown].filter(label => !labels.has(label) && label !== 'value')).toEqual([]);
});

test('the dashboard shows each metric of which an operator may want to see a curve', () => {
  const text = read('deploy/grafana/dashboard.json');
  const left = [...definitions.map(({ name }) => name), CALL_DURATION.name].filter(name => !text.includes(name));
  expect(left.sort()).toEqual([
    'mafalda_autoscaler_leading',
    'mafalda_controller_directory_outages_total',
    'mafalda_directory_outages_total',
    'mafalda_draining',
    'mafalda_host_cores',
    'mafalda_links',
    'mafalda_links_down',
    'mafalda_node_up',
    'mafalda_process_start_time_seconds',
    'mafalda_sessions_begun_total',
    'mafalda_worker_data_consumers',
    'mafalda_worker_data_producers',
    'mafalda_worker_routers',
  ]);
});

test('each alert links to a section that says what to do', () => {
  const text = read('deploy/prometheus/alerts.yml');
  const alerts = [...text.matchAll(/- alert: (\w+)/g)];
  const links = [...text.matchAll(/runbook_url: (\S+)#(\S+)/g)];
  expect(links).toHaveLength(alerts.length);
  expect(
    links.filter(([, page, anchor]) => !anchorsOf(new URL(page!, root)).includes(anchor!)).map(([link]) => link),
  ).toEqual([]);
});

test('the page on metrics lists all of them, with their labels', () => {
  const page = read('docs/reference/metrics.md');
  const rows = [...definitions, { ...CALL_DURATION, type: 'histogram' }].map(
    ({ name, type, labels: own, help }) =>
      `| \`${name}\` | ${type} | ${own.map(label => `\`${label}\``).join(', ')} | ${help} |`,
  );
  const missing = [...new Set(rows)].filter(row => !page.replaceAll(/ +/g, ' ').includes(row.replaceAll(/ +/g, ' ')));
  expect(missing).toEqual([]);
});

test('files of settings and variables name settings that exist', async () => {
  const settings: unknown = JSON.parse(read('deploy/systemd/server.json'));
  expect(Object.keys(settings as object).filter(name => !(name in serveSettings))).toEqual([]);
  const variables = new Set([...knownSettings.map(variableOf), CONFIG_VARIABLE]);
  const files = (await readdir(new URL('deploy/', root), { recursive: true })).filter(file =>
    /\.|Containerfile/.test(file),
  );
  const named = files.flatMap(file =>
    [...read(`deploy/${file}`).matchAll(/MAFALDA_[A-Z_]+[A-Z]/g)].map(([name]) => name),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter(name => !variables.has(name))).toEqual([]);
});

test('the container has the version that this is', () => {
  const { name, version } = JSON.parse(read('package.json')) as { name: string; version: string };
  expect(/^ARG PACKAGE=(.*)$/m.exec(read('deploy/container/Containerfile'))?.[1]).toBe(`${name}@${version}`);
});

test('what kills a server gives it the time that a drain may take', () => {
  const unit = read('deploy/systemd/mafalda-server.service');
  const pod = read('deploy/kubernetes/media-server.yaml');
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(600);
  expect(Number(/terminationGracePeriodSeconds: (\d+)/.exec(pod)?.[1])).toBeGreaterThan(600);
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
(hasSystemd ? test : test.skip)('the unit is one that systemd takes', () => {
  const file = fileURLToPath(new URL('deploy/systemd/mafalda-server.service', root));
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

(hasSystemd ? test : test.skip)('the unit is exposed to little, by what systemd finds', () => {
  const file = fileURLToPath(new URL('deploy/systemd/mafalda-server.service', root));
  const args = ['security', '--offline=true', '--threshold=20', '--no-pager', file];
  const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  expect(`${status} ${stdout.trim().split('\n').at(-1)}`).toMatch(/^0 .*Overall exposure level .*: 1\.\d OK/);
});
