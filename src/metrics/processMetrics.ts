/** Metrics of the process: whether JavaScript, which decides and carries the calls, has time and memory left. */
import { performance } from 'node:perf_hooks';
import { packageVersion } from '../core/packageVersion.ts';
import type { Definition } from './definition.ts';

const MICROSECONDS = 1e6;
const MILLISECONDS = 1000;

export const processMetrics: readonly Definition<{ mediasoupVersion: () => string }>[] = [
  {
    name: 'mafalda_build_info',
    type: 'gauge',
    help: 'Versions of mafalda-horizontal, mediasoup and Node.js; always 1.',
    labels: ['version', 'mediasoup', 'node'],
    read: ({ mediasoupVersion }) => [
      { value: 1, labels: { version: packageVersion, mediasoup: mediasoupVersion(), node: process.versions.node } },
    ],
  },
  {
    name: 'mafalda_process_start_time_seconds',
    type: 'gauge',
    help: 'Start of the process, in seconds since 1970.',
    labels: [],
    read: () => [{ value: performance.timeOrigin / MILLISECONDS }],
  },
  {
    name: 'mafalda_process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of the process, without its Workers.',
    labels: [],
    read: () => [{ value: cpuSeconds(process.cpuUsage()) }],
  },
  {
    name: 'mafalda_process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory of the process, without its Workers.',
    labels: [],
    read: () => [{ value: process.memoryUsage.rss() }],
  },
  {
    name: 'mafalda_event_loop_active_seconds_total',
    type: 'counter',
    help: 'Time in which the event loop was busy; its rate is near 1 when calls have to wait for each other.',
    labels: [],
    read: () => [{ value: performance.eventLoopUtilization().active / MILLISECONDS }],
  },
];

function cpuSeconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / MICROSECONDS;
}
