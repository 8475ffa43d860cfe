/** Metrics of a RemoteMafaldaServer: its clients, and their calls. */
import { Histogram, type Registry } from 'prom-client';
import type { CallObserver, ServerStatistics } from '../api/statistics.ts';
import type { MafaldaApi } from '../api/types.ts';
import { samplesOf, type Definition } from './definition.ts';

/** Server, as far as it is measured. */
export interface MeasuredServer {
  /** Mafalda that the server shows. */
  readonly mafalda: MafaldaApi;
  /** Counts and states of the server. */
  readonly statistics: ServerStatistics;
  /** Adds an observer of each call of a client. */
  observeCalls(observer: CallObserver): void;
}

const gauge = (
  name: Definition<MeasuredServer>['name'],
  help: string,
  value: (statistics: ServerStatistics) => number,
): Definition<MeasuredServer> => ({
  name,
  type: 'gauge',
  help,
  labels: [],
  read: ({ statistics }) => [{ value: value(statistics) }],
});

const counter = (...definition: Parameters<typeof gauge>): Definition<MeasuredServer> => ({
  ...gauge(...definition),
  type: 'counter',
});

export const serverMetrics: readonly Definition<MeasuredServer>[] = [
  gauge('mafalda_ready', 'Whether the server takes new objects: 1, or 0.', ({ ready }) => Number(ready)),
  gauge('mafalda_draining', 'Whether the server is being drained: 1, or 0.', ({ draining }) => Number(draining)),
  {
    name: 'mafalda_sessions',
    type: 'gauge',
    help: 'Sessions of clients, with a connection and without.',
    labels: ['state'],
    read: ({ statistics: { sessions } }) => samplesOf('state', sessions),
  },
  counter('mafalda_sessions_begun_total', 'Sessions that have begun.', ({ begun }) => begun),
  counter('mafalda_sessions_resumed_total', 'Reconnections that have resumed a session.', ({ resumed }) => resumed),
  {
    name: 'mafalda_sessions_ended_total',
    type: 'counter',
    help: 'Sessions that have ended, by the reason: left, moved, lost, replaced, revoked, failed.',
    labels: ['reason'],
    read: ({ statistics: { ended } }) => samplesOf('reason', ended),
  },
  counter(
    'mafalda_snapshots_total',
    'Snapshots that were sent to clients that had missed too much.',
    ({ snapshots }) => snapshots,
  ),
  counter(
    'mafalda_events_left_out_total',
    'Events rtp, rtcp and message that were left out, since a client was too slow for them.',
    ({ eventsLeftOut }) => eventsLeftOut,
  ),
  {
    name: 'mafalda_refusals_total',
    type: 'counter',
    help: 'Connections and calls that were refused, by the name of the limit, or unauthorized, incompatible, …',
    labels: ['reason'],
    read: ({ statistics: { refusals } }) => samplesOf('reason', refusals),
  },
  gauge('mafalda_objects', 'Objects that clients see.', ({ objects }) => objects),
  gauge('mafalda_kept_bytes', 'Bytes that are kept for clients.', ({ keptBytes }) => keptBytes),
  gauge('mafalda_orphans', 'Objects of clients that are gone.', ({ orphans }) => orphans),
  {
    name: 'mafalda_directory_up',
    type: 'gauge',
    help: 'Whether the directory in which the server is can be used: 1, or 0.',
    labels: [],
    read: ({ statistics: { directory } }) => (directory ? [{ value: Number(directory.up) }] : []),
  },
  {
    name: 'mafalda_directory_outages_total',
    type: 'counter',
    help: 'Outages of that directory.',
    labels: [],
    read: ({ statistics: { directory } }) => (directory ? [{ value: directory.outages }] : []),
  },
];

export const CALL_DURATION = {
  name: 'mafalda_call_duration_seconds',
  help: 'Durations of calls of clients, from their beginning to their answer, since the first request for metrics.',
  labels: ['method', 'outcome'],
} as const;

/** Upper bounds of the histogram's buckets, in seconds: from a call within a Worker to a call that starts one. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Has the calls of the server's clients measured from now on. */
export function registerCalls(registry: Registry, server: MeasuredServer): void {
  const { name, help, labels } = CALL_DURATION;
  const durations = new Histogram({ name, help, labelNames: labels, buckets: BUCKETS, registers: [registry] });
  server.observeCalls((method, seconds, outcome) => durations.observe({ method, outcome }, seconds));
}
