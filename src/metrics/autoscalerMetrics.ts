/** Metrics of an Autoscaler: servers that there are and should be, and joins that wait for one. */
import { countsOf, type Definition } from './definition.ts';

/** Phases, so that a number that is 0 is told too. */
const phases = ['starting', 'running', 'draining', 'unreachable', 'lost', 'stopping'];

/** Autoscaler, as far as it is measured. */
export interface MeasuredAutoscaler {
  /** Number of servers that there should be. */
  readonly wanted: number;
  /** Number of calls that wait for a server with room. */
  readonly waiting: number;
  /** Whether it decides, rather than another one. */
  readonly leading: boolean;
  /** All servers. */
  readonly servers: readonly { readonly phase: string }[];
}

export const autoscalerMetrics: readonly Definition<MeasuredAutoscaler>[] = [
  {
    name: 'mafalda_servers_wanted',
    type: 'gauge',
    help: 'Servers that there should be.',
    labels: [],
    read: ({ wanted }) => [{ value: wanted }],
  },
  {
    name: 'mafalda_servers',
    type: 'gauge',
    help: 'Servers that there are, by their phase.',
    labels: ['phase'],
    read: ({ servers }) =>
      countsOf(
        'phase',
        phases,
        servers.map(({ phase }) => phase),
      ),
  },
  {
    name: 'mafalda_joins_waiting',
    type: 'gauge',
    help: 'Calls that wait for a server with room.',
    labels: [],
    read: ({ waiting }) => [{ value: waiting }],
  },
  {
    name: 'mafalda_autoscaler_leading',
    type: 'gauge',
    help: 'Whether this autoscaler decides, rather than another one that has the lease: 1, or 0.',
    labels: [],
    read: ({ leading }) => [{ value: Number(leading) }],
  },
];
